"""Meta's networks through the screens, with a double of the platform: no server of Meta's can be had, so proof class C."""
