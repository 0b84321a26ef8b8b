"""false(1): fail, whatever the arguments."""
from userspace.libc import *


async def main():
    return EXIT_FAILURE
