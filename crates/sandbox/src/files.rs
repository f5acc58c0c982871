//! Confines a thread to some files, by Landlock.

use std::path::Path;

use landlock::{
    ABI, Access as _, AccessFs, BitFlags, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset, RulesetAttr,
    RulesetCreated, RulesetCreatedAttr, RulesetError,
};

use crate::error::Error;
use crate::folders::Access;

/// The rights that are taken from the process, as far as the kernel knows them. Later versions of Landlock can also take
/// the connection to a Unix socket by its path, which the journal and the service manager need.
const VERSION: ABI = ABI::V5;

/// Rules for files.
#[derive(Debug)]
pub(crate) struct Files(RulesetCreated);

impl Files {
    /// Opens what may be opened later. What is not there is left out.
    pub(crate) fn prepare(access: &Access) -> Result<Files, Error> {
        let read = BitFlags::from(AccessFs::ReadFile) | AccessFs::ReadDir;
        // All but programs to execute, devices and sockets.
        let written = read
            | AccessFs::WriteFile
            | AccessFs::Truncate
            | AccessFs::Refer
            | AccessFs::MakeReg
            | AccessFs::MakeDir
            | AccessFs::MakeSym
            | AccessFs::RemoveFile
            | AccessFs::RemoveDir;
        let basic = Ruleset::default().set_compatibility(CompatLevel::HardRequirement);
        let basic = basic.handle_access(AccessFs::from_all(ABI::V1)).map_err(|_| Error::NoLandlock)?;
        let rules = || -> Result<RulesetCreated, RulesetError> {
            let ruleset = basic.set_compatibility(CompatLevel::BestEffort);
            let ruleset = ruleset.handle_access(AccessFs::from_all(VERSION))?.create()?;
            let rules = |path, rights| beneath(path, rights).map(Ok::<_, RulesetError>);
            ruleset
                .add_rules(access.readable().filter_map(|path| rules(path, read)))?
                .add_rules(access.writable().filter_map(|path| rules(path, written)))
        };
        rules().map(Files).map_err(|error| Error::Files(error.to_string()))
    }

    /// Confines the calling thread, and those that it starts.
    pub(crate) fn confine(&self) -> Result<(), Error> {
        let rules = self.0.try_clone().map_err(|error| Error::Files(error.to_string()))?;
        rules.restrict_self().map(drop).map_err(|error| Error::Files(error.to_string()))
    }
}

fn beneath(path: &Path, rights: BitFlags<AccessFs>) -> Option<PathBeneath<PathFd>> {
    let is_folder = path.metadata().ok()?.is_dir();
    let rights = if is_folder { rights } else { rights & AccessFs::from_file(VERSION) };
    Some(PathBeneath::new(PathFd::new(path).ok()?, rights))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fs;
    use std::io::ErrorKind;
    use std::os::unix::fs::symlink;
    use std::thread;

    use super::*;

    #[test]
    fn a_confined_thread_opens_what_it_may_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for name in ["read", "written", "other"] {
            fs::create_dir(path(name)).unwrap();
            fs::write(path(name).join("file"), name).unwrap();
        }
        symlink(path("other/file"), path("read/link")).unwrap();
        let mut access = Access::default();
        access.read_file(&path("read/file"));
        access.write_file(&path("written/file"));
        let files = match Files::prepare(&access) {
            Err(Error::NoLandlock) => return println!("this kernel has no Landlock"),
            files => files.unwrap(),
        };
        let confined = move || {
            files.confine().unwrap();
            let refused =
                |result: std::io::Result<()>| result.unwrap_err().kind() == ErrorKind::PermissionDenied;
            assert_eq!(fs::read_to_string(path("read/file")).unwrap(), "read");
            assert!(refused(fs::write(path("read/file"), "")));
            assert!(refused(fs::read(path("read/link")).map(drop)), "it leads elsewhere");
            assert!(refused(fs::read(path("other/file")).map(drop)));
            fs::write(path("written/new"), "").unwrap();
            fs::rename(path("written/new"), path("written/file")).unwrap();
            assert!(refused(fs::rename(path("written/file"), path("other/new"))));
            assert!(fs::read("/etc/hosts").is_ok() || !Path::new("/etc/hosts").exists());
        };
        thread::scope(|scope| scope.spawn(confined).join()).unwrap();
    }
}
