"""Bring a stack into an AWS account and keep it there: bundle, preflight, change set, progress, doctor, removal."""
