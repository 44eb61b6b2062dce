"""The room of scripts that a package brings as programs: their first lines, and the JavaScript that names them."""
