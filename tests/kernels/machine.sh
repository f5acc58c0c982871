# shellcheck shell=bash
# What differs between the architectures of virtual machines. Other scripts source this file.

# Describes the machines of a Debian architecture by setting:
#   triple      Rust's name of it
#   tools       what the names of its compiler and its binutils begin with
#   console     the kernel's name of the serial port
#   emulator    qemu's command for it
#   machine ARCHITECTURE
# shellcheck disable=SC2034  # they are for the script that sources this
machine() {
    case $1 in
    amd64)
        triple=x86_64-unknown-linux-gnu tools=x86_64-linux-gnu console=ttyS0
        # qemu 7.2's emulation crashes kernels in two ways that have nothing to do with our programs. "Oops: int3" at
        # boot: code was patched while another CPU's thread ran it. One thread for both CPUs avoids that. A double fault
        # in kmalloc, with a pointer's bits in EFLAGS: cmpxchg16b left wrong flags. A CPU without cmpxchg16b avoids
        # that.
        emulator=(qemu-system-x86_64 -accel "tcg,thread=single" -cpu "qemu64,-cx16")
        ;;
    arm64)
        triple=aarch64-unknown-linux-gnu tools=aarch64-linux-gnu console=ttyAMA0
        # pauth-impdef signs pointers with a cipher that is cheaper to emulate than the architecture's own.
        emulator=(qemu-system-aarch64 -machine virt -cpu "max,pauth-impdef=on")
        ;;
    *) return 1 ;;
    esac
}
