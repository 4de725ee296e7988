//! Footers as they are written, with any byte changed, and made by hand to claim what cannot be.

use std::fs;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field};
use proptest::prelude::*;
use tempfile::tempdir;

use super::footer::Claims;
use super::*;
use crate::fixture::{batch, id, lake, publish, schema};
use crate::{ErrorKind, StageOptions};

/// A real data file of 50 rows, as bytes.
async fn written() -> Vec<u8> {
    let folder = tempdir().unwrap();
    let lake = lake(folder.path()).await;
    publish(&lake, "x", StageOptions::default(), &[batch("a", 50)]).await.unwrap();
    let opened = crate::Lake::open(folder.path()).await.unwrap();
    fs::read(&opened.data_files(Some(&id("x"))).unwrap()[0].path).unwrap()
}

/// The columns as a table has them, without dictionaries.
fn table() -> Schema {
    let plain = |field: &Arc<Field>| match field.data_type() {
        DataType::Dictionary(..) => Arc::new(field.as_ref().clone().with_data_type(DataType::Utf8)),
        _ => Arc::clone(field),
    };
    Schema::new(schema().fields().iter().map(plain).collect::<Vec<_>>())
}

fn footer_of(file: &[u8]) -> &[u8] {
    let end = file.len() - 8;
    let length = u32::from_le_bytes(file[end..end + 4].try_into().unwrap()) as usize;
    &file[end - length..end]
}

#[tokio::test]
async fn a_footer_as_it_was_written_is_sound_and_counts_its_rows() {
    let file = written().await;
    let claims = Claims::read(footer_of(&file), file.len() as u64).unwrap();
    assert_eq!(claims.rows, 50);
    assert_eq!(claims.difference(&table()), None);
    // Other columns: one less, one more, one of another name or type.
    let without = |fields: &[usize]| table().project(fields).unwrap();
    assert!(claims.difference(&without(&[0, 1, 2])).unwrap().contains("has a column `city`"));
    assert!(claims.difference(&without(&[0, 2, 1])).unwrap().contains("no column `creation_date`"));
    let mut fields = table().fields().to_vec();
    fields[0] = Arc::new(fields[0].as_ref().clone().with_data_type(DataType::Int64));
    assert!(claims.difference(&Schema::new(fields)).unwrap().contains("`id` of another type"));
    // The file it was written for is as long as it says, and not shorter.
    let problem = Claims::read(footer_of(&file), 100).unwrap_err();
    assert!(problem.contains("places"), "{problem}");
}

#[tokio::test]
async fn any_changed_byte_of_a_footer_is_read_to_an_end() {
    let file = written().await;
    let footer = footer_of(&file);
    let mut found = 0;
    for at in 0..footer.len() {
        for change in [0x01, 0x80, 0xff] {
            let mut changed = footer.to_vec();
            changed[at] ^= change;
            found += usize::from(Claims::read(&changed, file.len() as u64).is_err());
        }
    }
    // The others changed a name or a statistic, which is for a hash to find.
    assert!(found > footer.len() / 2, "{found} of {} bytes", footer.len());
}

#[test]
fn claims_that_cannot_be_are_refused() {
    let version = [0x15, 0x02];
    let no_schema = [0x19, 0x0c];
    let rows = |count: u8| [0x16, count * 2];
    let huge_list = [0xfc, 0xff, 0xff, 0xff, 0xff, 0x07];
    for (claims, told) in [
        ([&version[..], &no_schema, &rows(1), &[0x19], &huge_list].concat(), "claims a list of 2147483647"),
        ([&version[..], &[0x19], &huge_list].concat(), "claims a list of 2147483647"),
        ([&version[..], &no_schema, &rows(3), &[0x19, 0x0c, 0x00]].concat(), "counts 3 rows, and 0"),
        ([&version[..], &no_schema, &rows(0)].concat(), "ends too early"),
        ([&version[..], &[0x00]].concat(), "does not count its rows"),
        (vec![0x1c; 100], "nested too deeply"),
        (vec![0x16, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], "does not end"),
        (vec![0x1e], "unknown type"),
        (vec![], "ends too early"),
    ] {
        let problem = Claims::read(&claims, 1000).unwrap_err();
        assert!(problem.contains(told), "{claims:x?}: {problem}");
    }
    // Groups in groups: each element of the schema has one child, and readers follow them by recursion.
    let nested =
        [&version[..], &[0x19, 0xfc, 0x64], &[0x55, 0x02, 0x00].repeat(100), &rows(0), &[0x19, 0x0c, 0]]
            .concat();
    assert!(Claims::read(&nested, 1000).unwrap_err().contains("nested too deeply"));
}

#[test]
fn files_that_are_none_are_told() {
    let folder = tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    for (name, bytes, told) in [
        ("empty", vec![], "it has 0 bytes"),
        ("short", b"PAR1PAR1".to_vec(), "it has 8 bytes"),
        ("zeros", vec![0; 100], "does not begin and end as one"),
        ("long-footer", [&b"PAR1"[..], &[0xff; 4], b"PAR1"].concat(), "claims a footer of 4294967295 bytes"),
    ] {
        let path = root.join(name);
        fs::write(&path, &bytes).unwrap();
        let error = check(&root, &path, bytes.len() as u64, &schema()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Integrity);
        assert!(error.to_string().contains(told), "{error}");
    }
    let error = check(&root, &root.join("missing"), 1, &schema()).unwrap_err();
    assert!(error.to_string().contains("is missing"), "{error}");
    assert!(check(&root, &root, 1, &schema()).unwrap_err().to_string().contains("is no file"));
}

#[cfg(unix)]
#[test]
fn a_link_is_not_followed_wherever_it_stands() {
    let outside = tempdir().unwrap();
    fs::write(outside.path().join("file"), "12345").unwrap();
    let folder = tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    std::os::unix::fs::symlink(outside.path(), root.join("folder")).unwrap();
    std::os::unix::fs::symlink(outside.path().join("file"), root.join("file")).unwrap();
    for path in ["folder/file", "file"] {
        let error = check(&root, &root.join(path), 5, &schema()).unwrap_err();
        assert!(error.to_string().contains("through a link"), "{error}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_to_an_end(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        // That it comes back at all is the promise; what it makes of noise is not.
        let _ = Claims::read(&bytes, 1000);
    }
}
