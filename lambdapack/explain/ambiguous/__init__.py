"""Messages whose slots decide which record they mean."""
