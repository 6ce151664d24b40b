//! What there is to download, from where, and under which terms.

/// A published data set.
#[derive(Debug, Clone, Copy)]
pub struct Archive {
    /// What the command calls it.
    pub name: &'static str,
    /// Its files, the data first.
    pub files: &'static [Remote],
    /// Terms of use.
    pub licence: &'static str,
    /// What to cite.
    pub citation: &'static str,
}

/// A file of an archive.
#[derive(Debug, Clone, Copy)]
pub struct Remote {
    /// Name to store it under.
    pub file: &'static str,
    /// Where it is.
    pub url: &'static str,
    /// Its length, where it is known.
    pub bytes: Option<u64>,
    /// Its MD5 checksum as the archive publishes it.
    pub md5: &'static str,
}

/// All that can be downloaded.
pub const ARCHIVES: &[Archive] = &[
    Archive {
        name: "qm9",
        files: &[
            Remote {
                file: "dsgdb9nsd.xyz.tar.bz2",
                url: "https://ndownloader.figshare.com/files/3195389",
                bytes: Some(86_144_227),
                md5: "ad1ebd51ee7f5b3a6e32e974e5d54012",
            },
            Remote {
                file: "uncharacterized.txt",
                url: "https://ndownloader.figshare.com/files/3195404",
                bytes: Some(486_752),
                md5: "a361887bacb427b8a0ce7903d92a53b4",
            },
            Remote {
                file: "atomref.txt",
                url: "https://ndownloader.figshare.com/files/3195395",
                bytes: Some(964),
                md5: "2d30b2df8329d8fd805c0a4d158a0a0f",
            },
        ],
        licence: "CC0",
        citation: "R. Ramakrishnan, P. O. Dral, M. Rupp, O. A. von Lilienfeld, Scientific Data 1, 140022 (2014)",
    },
    Archive {
        name: "geom",
        files: &[Remote {
            file: "drugs_crude.msgpack.tar.gz",
            url: "https://dataverse.harvard.edu/api/access/datafile/4360331",
            bytes: None,
            md5: "7778e84c50b7cde755cca670d1f75091",
        }],
        licence: "CC0",
        citation: "S. Axelrod, R. Gomez-Bombarelli, Scientific Data 9, 185 (2022)",
    },
];

impl Archive {
    /// The archive of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        ARCHIVES.iter().find(|archive| archive.name == name)
    }
}
