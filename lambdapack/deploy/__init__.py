"""Deploys an archive to a function: observe, plan, apply. Reaches AWS only through the protocols of cloud.py."""
