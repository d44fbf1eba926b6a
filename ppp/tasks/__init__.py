"""The vectorised environment and the tasks, which are YAML files naming its terms."""
