"""What Keywright does, each thing once: the command line and the service are two faces of these operations."""
