"""Real binaries, hurt where it hurts, judged whole: nothing may raise, hang or eat memory."""
