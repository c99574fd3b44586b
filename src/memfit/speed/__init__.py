"""How fast a deployment runs: one roofline for every engine, anchored on published measurements of boards."""
