"""What the rooms share and no widget owns: commands, settings, messages, the session."""
