"""The local HTTP service and its pages."""
