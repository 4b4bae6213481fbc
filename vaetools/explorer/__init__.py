"""A latent space that answers the cursor: a fitted model and its rows, as one page that decodes by itself."""
