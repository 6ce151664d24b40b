//! The programs in README and book are compiled and run by `cargo test --doc`; the tests of this crate check links and commands.

#[cfg(doctest)]
mod texts {
    #[doc = include_str!("../README.md")]
    struct Readme;
    #[doc = include_str!("src/guide.md")]
    struct Guide;
    #[doc = include_str!("src/own-project.md")]
    struct OwnProject;
    #[doc = include_str!("src/glossary.md")]
    struct Glossary;
    #[doc = include_str!("src/tasks.md")]
    struct Tasks;
}
