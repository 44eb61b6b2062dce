"""Stand-ins for the Lambda images, made of Debian packages, npm packages and one wheel.

The lab must hurt where the official image hurts, so what is missing here is missing on purpose. It never
runs a program of the target's CPU, needs no root for the making, and only `docker load` touches the engine.
"""
