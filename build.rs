//! Compiles bpf/ into a skeleton for crates/source-tcpretrans, which names this file as its build script.

use std::env;
use std::error::Error;
use std::path::PathBuf;

use libbpf_cargo::SkeletonBuilder;

fn main() -> Result<(), Box<dyn Error>> {
    let bpf_dir = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../../bpf");
    let out = PathBuf::from(env::var("OUT_DIR")?).join("tcpretrans.skel.rs");
    let arch = env::var("CARGO_CFG_TARGET_ARCH")?;

    println!("cargo:rerun-if-changed={}", bpf_dir.display());
    SkeletonBuilder::new()
        .source(bpf_dir.join("tcpretrans.bpf.c"))
        // <asm/types.h> of the uapi headers is in Debian's multiarch folder, or in the folder of the packages
        // for cross-building. clang's bpf target searches neither of them.
        .clang_args([
            "-Wall".to_owned(),
            "-Werror".to_owned(),
            format!("-idirafter/usr/include/{arch}-linux-gnu"),
            format!("-idirafter/usr/{arch}-linux-gnu/include"),
        ])
        // The skeleton is not formatted. A minimal Rust has rustup's placeholder for rustfmt, which would
        // fail the build.
        .rustfmt("/nonexistent")
        .build_and_generate(&out)
        .map_err(|error| {
            format!("bpf/ (are clang and linux-libc-dev installed? see `make setup`): {error:#}").into()
        })
}
