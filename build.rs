//! Compiles bpf/ into a skeleton for crates/source-tcpretrans, which names this file as its build script.

use std::env;
use std::error::Error;
use std::path::{Path, PathBuf};

use libbpf_cargo::SkeletonBuilder;

fn main() -> Result<(), Box<dyn Error>> {
    let package = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let bpf = package.join("../../bpf");
    skeleton(&bpf.join("tcpretrans.bpf.c"), &bpf)?;
    // Only tests/kernel includes these. Cargo has no build scripts for tests alone, and the virtual machines that
    // run the tests have no clang. They add 0.3 s to a build.
    skeleton(&package.join("tests/kernel/bpf/interrupted.bpf.c"), &bpf)?;
    skeleton(&package.join("tests/kernel/bpf/accepted.bpf.c"), &bpf)
}

/// Compiles `NAME.bpf.c`, which may include the headers of `bpf`, and leaves `NAME.skel.rs` in `OUT_DIR`.
fn skeleton(source: &Path, bpf: &Path) -> Result<(), Box<dyn Error>> {
    let name = source.with_extension("").with_extension("skel.rs");
    let out = PathBuf::from(env::var("OUT_DIR")?).join(name.file_name().ok_or("a source has a name")?);
    let arch = env::var("CARGO_CFG_TARGET_ARCH")?;

    println!("cargo:rerun-if-changed={}", bpf.display());
    println!("cargo:rerun-if-changed={}", source.display());
    SkeletonBuilder::new()
        .source(source)
        // <asm/types.h> of the uapi headers is in Debian's multiarch folder, or in the folder of the packages
        // for cross-building. clang's bpf target searches neither of them.
        .clang_args([
            "-Wall".to_owned(),
            "-Werror".to_owned(),
            format!("-I{}", bpf.display()),
            // The object has the names of its source files. They are to be the same in each folder.
            format!("-ffile-prefix-map={}/../..=/source", env::var("CARGO_MANIFEST_DIR")?),
            format!("-idirafter/usr/include/{arch}-linux-gnu"),
            format!("-idirafter/usr/{arch}-linux-gnu/include"),
        ])
        // The skeleton is not formatted. A minimal Rust has rustup's placeholder for rustfmt, which would
        // fail the build.
        .rustfmt("/nonexistent")
        .build_and_generate(&out)
        .map_err(|error| {
            let source = source.display();
            format!("{source} (are clang and linux-libc-dev installed? see `make setup`): {error:#}").into()
        })
}
