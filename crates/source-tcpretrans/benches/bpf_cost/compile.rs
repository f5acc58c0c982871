//! The bench's own BPF programs: compiled when it runs, so that no other build has to.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::Command;

use libbpf_rs::{Object, ObjectBuilder, libbpf_sys};

/// Compiles a file of this bench's folder `bpf`, and loads those of its programs that are named.
pub fn load(source: &str, programs: &[&str]) -> Result<Object, Box<dyn Error>> {
    let object = compile(source)?;
    let mut open = ObjectBuilder::default().open_file(object)?;
    for mut program in open.progs_mut() {
        let wanted = programs.iter().any(|name| program.name() == *name);
        program.set_autoload(wanted);
    }
    Ok(open.load()?)
}

fn compile(source: &str) -> Result<std::path::PathBuf, Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bpf_cost");
    fs::create_dir_all(folder.join("bpf"))?;
    for (name, content) in libbpf_sys::API_HEADERS {
        fs::write(folder.join("bpf").join(name), content)?;
    }
    let object = folder.join(source).with_extension("o");
    let status = Command::new("clang")
        .args(["-target", "bpf", "-O2", "-g", "-Wall", "-Werror", "-c"])
        // As in build.rs: <asm/types.h> is in Debian's multiarch folder.
        .arg(format!("-idirafter/usr/include/{}-linux-gnu", std::env::consts::ARCH))
        .arg(format!("-D__TARGET_ARCH_{}", if cfg!(target_arch = "aarch64") { "arm64" } else { "x86" }))
        .arg("-I")
        .arg(&folder)
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/bpf_cost/bpf").join(source))
        .arg("-o")
        .arg(&object)
        .status()?;
    if status.success() { Ok(object) } else { Err(format!("clang on {source}: {status}").into()) }
}
