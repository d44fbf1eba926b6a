"""Networks, conditional discriminator, the PPO agent, checkpoints and policy bundles."""
