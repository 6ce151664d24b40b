//! Choices by name, for configurations and command lines.

/// An enum whose variants are known by names: `ALL`, `Display`, and `FromStr`, which lists the names when it knows none such.
macro_rules! named {
    ($(#[$about:meta])* $choice:ident, $what:literal, { $($(#[$doc:meta])* $variant:ident = $name:literal,)+ }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
        pub enum $choice {
            $($(#[$doc])* $variant,)+
        }

        impl $choice {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }
        }

        impl std::fmt::Display for $choice {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.name())
            }
        }

        impl std::str::FromStr for $choice {
            type Err = crate::Error;

            fn from_str(name: &str) -> crate::Result<Self> {
                Self::ALL.iter().copied().find(|choice| choice.name() == name).ok_or_else(|| {
                    let known = [$($name),+].join(", ");
                    crate::Error::Config(format!("{} `{name}` is unknown; use one of {known}", $what))
                })
            }
        }
    };
}
pub(crate) use named;
