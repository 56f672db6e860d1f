"""The simulated network runs in the test's own process here, and says every refused delivery: only what matters is kept."""

from __future__ import annotations

import logging

import structlog

structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
