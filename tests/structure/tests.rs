//! Tests of the check itself, with made-up files.

use crate::circles::Imports;
use crate::files::Sources;

/// The circles of a crate of `lib.rs` (which declares `a` and `b`), `a.rs` and `b.rs`.
fn circles(a: &str, b: &str) -> Vec<String> {
    let lib = "mod a; mod b; pub use a::A; pub use b::{b, *};";
    let sources = Sources::of(&[("src/lib.rs", lib), ("src/a.rs", a), ("src/b.rs", b)]);
    let told = Imports::of_crate("src/lib.rs", &sources).circles();
    told.iter().map(|circle| circle.lines().next().expect("a line").to_owned()).collect()
}

const CIRCLE: [&str; 1] = ["src/a.rs -> src/b.rs:"];

#[test]
fn each_way_to_name_the_other_file_is_an_import() {
    let b = "use super::a::A; pub struct B(A); pub fn b() {}";
    for a in [
        "use crate::b::B; pub struct A;",
        "use crate::{a, b::{self, B as Other}}; pub struct A;",
        "use crate::b; pub struct A(b::B);",
        "use super::b::*; pub struct A;",
        "use crate::B; pub struct A;",
        "pub struct A; fn f() { super::b::b() }",
        "pub struct A; fn f() { use super::b::B; }",
        "pub struct A; fn f() { println!(\"{}\", crate::b::b()) }",
        "#[error(\"{}\", crate::b())] pub struct A;",
        "pub struct A; mod inner { fn f() { super::super::b::b() } }",
        "pub use crate::b::B; pub struct A;",
        "pub struct A; impl super::b::B { fn f() -> impl Sized + use<'_> {} }",
    ] {
        assert_eq!(circles(a, b), CIRCLE, "{a}");
    }
}

#[test]
fn what_is_no_import_of_the_other_file_makes_no_circle() {
    let b = "use super::a::A; pub struct B(A);";
    for a in [
        "use std::fmt; pub struct A;",
        "use ::b::B; use other::b::C; pub struct A;",
        "pub struct A; fn f(b: u8) { let b = b::<u8>(); other::b::B; ::b::B; }",
        "pub struct A; #[cfg(test)] mod tests { use crate::b::B; }",
        "pub struct A; #[cfg(test)] use crate::b::B;",
        "pub struct A; enum B { C } fn f() { B::C }",
    ] {
        assert_eq!(circles(a, b), [""; 0], "{a}");
    }
}

#[test]
fn a_module_that_uses_what_its_parent_defines_is_a_circle_but_a_reexport_is_none() {
    let circles = |parent: &str| {
        let sources = Sources::of(&[
            ("src/lib.rs", "mod parent;"),
            ("src/parent/mod.rs", parent),
            ("src/parent/child.rs", "use super::P; pub struct C(P);"),
            ("src/parent/leaf.rs", "pub struct P;"),
        ]);
        Imports::of_crate("src/lib.rs", &sources).circles()
    };
    assert_eq!(circles("mod child; mod leaf; pub use child::C; pub(crate) use leaf::P;"), [""; 0]);
    let told = "src/parent/child.rs -> src/parent/mod.rs:\n  src/parent/child.rs uses super::P of \
                src/parent/mod.rs\n  src/parent/mod.rs uses child::C of src/parent/child.rs\n";
    assert_eq!(circles("mod child; mod leaf; pub struct P; fn f() { child::C; }"), [told]);
}

#[test]
fn a_longer_circle_is_told_once_and_in_order() {
    let sources = Sources::of(&[
        ("src/lib.rs", "mod a; mod b; mod c; mod d;"),
        ("src/a.rs", "use crate::b::B; pub struct A;"),
        ("src/b.rs", "use crate::c::C; pub struct B;"),
        ("src/c.rs", "use crate::a::A; pub struct C;"),
        ("src/d.rs", "use crate::a::A; use crate::b::B;"),
    ]);
    let circles = Imports::of_crate("src/lib.rs", &sources).circles();
    assert_eq!(circles.len(), 1, "{circles:?}");
    assert!(circles[0].starts_with("src/a.rs -> src/b.rs -> src/c.rs:\n"), "{circles:?}");
}
