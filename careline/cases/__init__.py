"""The work: cases, their queue, clocks and priority, and every verb an agent has."""
