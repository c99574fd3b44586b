"""Files of other machines that serve them over HTTP: parts of them, lists of them, and whole downloads."""

from memfit.remote.hub import HubFile, Repository, hub_files, parse_hub
from memfit.remote.ranges import RemoteFile
from memfit.remote.web import Answer, Web

__all__ = ["Answer", "HubFile", "RemoteFile", "Repository", "Web", "hub_files", "parse_hub"]
