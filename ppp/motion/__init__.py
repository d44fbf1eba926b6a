"""Motion clips, the labelled library, importers and authoring."""
