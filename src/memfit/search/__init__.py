"""The lowest precision that keeps the quality: models held against their base, formats searched tensor by tensor."""
