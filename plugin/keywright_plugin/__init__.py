"""What every front-end shares outside the bridge: finding or starting it, its typed client, and the installer."""
