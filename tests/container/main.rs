//! The container image, as podman builds it and runc runs it: with two capabilities, a read-only root and a default seccomp profile. Needs root, and
//! in OTEL_TCPRETRANS_BINARIES a folder with the static binary; `make test-container` has both.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, unreachable_pub, missing_docs)]

#[allow(dead_code)] // each test that shares it uses a part of it
#[path = "../e2e/mod.rs"]
mod e2e;
mod image;
mod runs;

use std::process::ExitCode;

fn main() -> ExitCode {
    let code = e2e::support::harness::main(&[
        ("the_image_has_four_files_and_says_what_it_is", image::has_four_files_and_says_what_it_is),
        ("its_default_configuration_is_valid", image::its_default_configuration_is_valid),
        ("it_counts_every_retransmission_with_two_capabilities", runs::counts_with_two_capabilities),
        ("without_a_capability_it_says_which", runs::without_a_capability_it_says_which),
        ("it_finds_its_backend_by_dns", runs::finds_its_backend_by_dns),
        ("it_trusts_the_authorities_in_the_image", runs::trusts_the_authorities_in_the_image),
    ]);
    image::Image::remove();
    code
}
