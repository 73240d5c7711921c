"""A static website from the folders of runs."""

from phusong.publish.site.build import Published, publish_site

__all__ = ["Published", "publish_site"]
