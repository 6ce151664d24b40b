//! A Rust file as a list of tokens with their lines, and which lines are test code.
//!
//! Tokens see into macros, where a syntax tree does not; the tree tells what is compiled for tests alone.

use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};
use std::ops::RangeInclusive;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Attribute, Item, ItemMod, Pat};

/// What the rules look at.
pub(super) struct Source {
    pub(super) tokens: Vec<Token>,
    /// Modules in other files that are compiled for tests alone.
    pub(super) test_modules: Vec<String>,
    /// Lines of patterns that match a dtype.
    pub(super) dtype_patterns: Vec<usize>,
}

/// A word, a sign, a literal or a bracket outside test code.
pub(super) struct Token {
    pub(super) text: String,
    pub(super) line: usize,
    pub(super) is_name: bool,
}

impl Source {
    /// Reads a file.
    ///
    /// # Errors
    /// Where the file is no Rust: the line, and what the parser says.
    pub(super) fn parse(text: &str) -> Result<Self, (usize, String)> {
        let broken = |error: syn::Error| (line(error.span()), error.to_string());
        let file = syn::parse_file(text).map_err(broken)?;
        let mut tree = Tree::default();
        tree.visit_file(&file);
        let stream: TokenStream = text.parse().map_err(|error: proc_macro2::LexError| (line(error.span()), error.to_string()))?;
        let mut tokens = Vec::new();
        flatten(stream, &mut tokens);
        let in_test = |line: &usize| tree.tests.iter().any(|range| range.contains(line));
        tokens.retain(|token| !in_test(&token.line));
        tree.dtype_patterns.retain(|line| !in_test(line));
        Ok(Self { tokens, test_modules: tree.test_modules, dtype_patterns: tree.dtype_patterns })
    }

    /// Lines where these tokens follow one another.
    pub(super) fn places<'a>(&'a self, pattern: &'a [&str]) -> impl Iterator<Item = usize> + 'a {
        let matches = move |window: &&[Token]| window.iter().zip(pattern).all(|(token, text)| token.text == *text);
        self.tokens.windows(pattern.len()).filter(matches).map(|window| window[0].line)
    }
}

/// What the syntax tree tells.
#[derive(Default)]
struct Tree {
    tests: Vec<RangeInclusive<usize>>,
    test_modules: Vec<String>,
    dtype_patterns: Vec<usize>,
}

impl<'ast> Visit<'ast> for Tree {
    fn visit_item(&mut self, item: &'ast Item) {
        if !attributes(item).iter().any(is_test) {
            return visit::visit_item(self, item);
        }
        self.tests.push(line(item.span())..=item.span().end().line);
        if let Item::Mod(ItemMod { ident, content: None, .. }) = item {
            self.test_modules.push(ident.to_string());
        }
    }

    fn visit_pat(&mut self, pattern: &'ast Pat) {
        if let Pat::Path(path) = pattern {
            let segments: Vec<_> = path.path.segments.iter().rev().map(|segment| &segment.ident).collect();
            if segments.get(1).is_some_and(|name| *name == "DType") {
                self.dtype_patterns.push(line(pattern.span()));
            }
        }
        visit::visit_pat(self, pattern);
    }
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Const(item) => &item.attrs,
        _ => &[],
    }
}

/// `#[test]`, `#[cfg(test)]`, `#[cfg(any(test, …))]`.
fn is_test(attribute: &Attribute) -> bool {
    if attribute.path().is_ident("test") {
        return true;
    }
    let words = |list: &syn::MetaList| list.tokens.to_string().split([' ', '(', ')', ',']).any(|word| word == "test");
    attribute.path().is_ident("cfg")
        && attribute.meta.require_list().is_ok_and(|list| words(list) && !list.tokens.to_string().contains("not"))
}

fn flatten(stream: TokenStream, tokens: &mut Vec<Token>) {
    for tree in stream {
        let is_name = matches!(tree, TokenTree::Ident(_));
        let mut push = |text: String, span: Span| tokens.push(Token { text, line: line(span), is_name });
        match tree {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::None => ("", ""),
                };
                push(open.to_owned(), group.span_open());
                flatten(group.stream(), tokens);
                tokens.push(Token { text: close.to_owned(), line: line(group.span_close()), is_name: false });
            }
            other => push(other.to_string(), other.span()),
        }
    }
}

fn line(span: Span) -> usize {
    span.start().line
}
