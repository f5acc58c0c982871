# shellcheck shell=bash
# What differs between the architectures of virtual machines; to be sourced. Everything else is the same for all.

# Describes the machines of a Debian architecture by setting:
#   triple      Rust's name of it
#   tools       what the names of its compiler and its binutils begin with
#   console     the kernel's name of the serial port
#   emulator    qemu's command for it
#   machine ARCHITECTURE
# shellcheck disable=SC2034  # they are for who sources this
machine() {
    case $1 in
    amd64)
        triple=x86_64-unknown-linux-gnu tools=x86_64-linux-gnu console=ttyS0
        # Where kernels crashed under qemu 7.2's emulation, far from any program of ours, the cause is avoided: code
        # patched under another CPU's thread ("Oops: int3" at boot), by one thread for both CPUs; and the flags that
        # cmpxchg16b left (a double fault in kmalloc, with a pointer's bits in EFLAGS), by a CPU without it.
        emulator=(qemu-system-x86_64 -accel "tcg,thread=single" -cpu "qemu64,-cx16")
        ;;
    arm64)
        triple=aarch64-unknown-linux-gnu tools=aarch64-linux-gnu console=ttyAMA0
        # Pointers are signed by a cipher that is cheap to emulate, not by the architecture's own.
        emulator=(qemu-system-aarch64 -machine virt -cpu "max,pauth-impdef=on")
        ;;
    *) return 1 ;;
    esac
}
