"""Files customers and agents send: content-addressed within a workspace, reference-counted, each encrypted under its own key."""
