"""Small judges: features, a score, a calibrated probability."""
