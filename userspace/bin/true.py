"""true(1): succeed, whatever the arguments."""
from userspace.libc import *


async def main():
    return EXIT_SUCCESS
