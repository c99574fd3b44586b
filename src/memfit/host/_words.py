"""Words that are many machines' names, and so nobody's."""

# Names that half the devices of this kind have, and words that parsers live on. They tell nobody from another, and are
# replaced only where nothing but a name can stand.
_OF_ALL = """
localhost localdomain ip6-localhost ip6-loopback ip6-localnet ip6-mcastprefix ip6-allnodes ip6-allrouters ubuntu debian
linux tegra nvidia jetson orin thor xavier nano agx igx raspberrypi tegra-ubuntu nvidia-desktop desktop server laptop
device board host local home root user users admin guest test nobody daemon systemd service session system slice scope
container docker containerd podman kubepods kernel memory cache swap python python3 model models data llama ollama vllm
engine main default none true false null init boot usr bin etc var lib opt tmp run dev proc sys snap media mnt name
state total free available active inactive gpu cpu cuda tensorrt arm aarch64 arm64 x86 x86_64 app work
"""
WORDS_OF_ALL = frozenset(_OF_ALL.split())
