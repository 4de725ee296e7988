//! Every damage that can be thought of is found, and named; what is no damage is not.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::{TempDir, tempdir};
use uuid::Uuid;

use crate::fixture::{batch, id, lake, manifest, publish};
use crate::{ErrorKind, Lake, StageOptions, Verification, VerifyOptions, WriterOptions};

const PLAIN: VerifyOptions = VerifyOptions { deep: false, threads: 2 };
const DEEP: VerifyOptions = VerifyOptions { deep: true, threads: 2 };

/// A lake with the snapshots `x` (40 rows, one reject) and `y` (40 rows).
struct Sound {
    folder: TempDir,
}

impl Sound {
    async fn new() -> Self {
        let folder = tempdir().unwrap();
        let lake = lake(folder.path()).await;
        let mut staging = lake.stage(id("x"), StageOptions::default()).await.unwrap();
        let mut writer = staging.writer(&WriterOptions::default()).unwrap();
        writer.write(&batch("x", 40)).unwrap();
        let files = vec![writer.close().unwrap()];
        let reject =
            r#"{"piece":"export/part-0.json.gz","line":41,"offset":99,"reason":"no JSON","raw":"{"}"#;
        fs::write(staging.rejects(), format!("{reject}\n")).unwrap();
        let mut facts = manifest(40);
        (facts.totals.lines, facts.totals.rejects) = (41, 1);
        (facts.pieces[0].lines, facts.pieces[0].rejects) = (41, 1);
        staging.publish(files, facts).await.unwrap();
        publish(&lake, "y", StageOptions::default(), &[batch("y", 40)]).await.unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn data_file(&self, snapshot: &str) -> PathBuf {
        let folder = self.path(&format!("endpoints/snapshot={snapshot}"));
        fs::read_dir(folder).unwrap().next().unwrap().unwrap().path()
    }

    fn commit(&self, version: u64) -> PathBuf {
        self.path(&format!("endpoints/_delta_log/{version:020}.json"))
    }

    async fn verify(&self, options: VerifyOptions) -> Verification {
        Lake::open(self.folder.path()).await.unwrap().verify(None, options).await.unwrap()
    }

    /// Insists that each of `told` is found in one of the findings, plainly and deeply.
    async fn finds(&self, told: &[&str]) {
        for options in [PLAIN, DEEP] {
            self.finds_with(options, told).await;
        }
    }

    async fn finds_with(&self, options: VerifyOptions, told: &[&str]) {
        let findings = self.verify(options).await.findings;
        let texts: Vec<String> =
            findings.iter().map(|it| format!("{} {}", it.path.display(), it.problem)).collect();
        assert!(!texts.is_empty(), "nothing was found where {told:?} was to be");
        for told in told {
            assert!(texts.iter().any(|text| text.contains(told)), "`{told}` is not in {texts:#?}");
        }
    }

    /// Edits the manifest of `x`.
    fn edit_manifest(&self, edit: impl FnOnce(&mut Value)) {
        let path = self.path("runs/x/run.json");
        let mut manifest: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        edit(&mut manifest);
        fs::write(&path, manifest.to_string()).unwrap();
    }
}

/// Edits a file of text.
fn edit(path: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "`{from}` is not in {text}");
    fs::write(path, text.replacen(from, to, 1)).unwrap();
}

/// A change of a manifest, and what is to be found then.
type Edit = (fn(&mut Value), &'static str);

#[tokio::test]
async fn a_lake_as_it_was_made_is_sound() {
    let sound = Sound::new().await;
    for options in [PLAIN, DEEP] {
        let found = sound.verify(options).await;
        assert_eq!((&found.findings, &found.notes), (&vec![], &vec![]));
        assert_eq!((found.snapshots, found.files, found.rows), (2, 2, 80));
        let bytes = [sound.data_file("x"), sound.data_file("y")].map(|path| path.metadata().unwrap().len());
        assert_eq!(found.bytes, bytes.iter().sum::<u64>());
    }
    let opened = Lake::open(sound.folder.path()).await.unwrap();
    assert_eq!(opened.verify(Some(&id("x")), DEEP).await.unwrap().rows, 40);
    assert_eq!(opened.verify(Some(&id("z")), DEEP).await.unwrap_err().kind(), ErrorKind::Usage);
}

#[tokio::test]
async fn any_changed_byte_of_a_data_file_is_found() {
    let sound = Sound::new().await;
    let path = sound.data_file("x");
    let bytes = fs::read(&path).unwrap();
    let opened = Lake::open(sound.folder.path()).await.unwrap();
    // Every byte of both ends, and one in 13 of what lies between.
    let ends = (0..40).chain(bytes.len() - 40..bytes.len());
    for at in ends.chain((40..bytes.len() - 40).step_by(13)) {
        let mut changed = bytes.clone();
        changed[at] ^= 1 << (at % 8);
        fs::write(&path, &changed).unwrap();
        let found = opened.verify(Some(&id("x")), DEEP).await.unwrap();
        assert_eq!(found.findings.len(), 1, "byte {at}: {:?}", found.findings);
        assert_eq!(found.findings[0].path, path.canonicalize().unwrap());
    }
}

#[tokio::test]
async fn files_that_are_missing_cut_empty_or_swapped_are_found_without_reading_them() {
    let sound = Sound::new().await;
    let path = sound.data_file("x");
    let name = path.file_name().unwrap().to_str().unwrap().to_owned();
    let bytes = fs::read(&path).unwrap();
    fs::remove_file(&path).unwrap();
    sound.finds(&[&name, "is missing"]).await;
    fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
    sound.finds(&[&name, "bytes; the Delta log says"]).await;
    fs::write(&path, "").unwrap();
    sound.finds(&[&name, "has 0 bytes"]).await;
    fs::write(&path, fs::read(sound.data_file("y")).unwrap()).unwrap();
    sound.finds_with(DEEP, &[&name, "SHA-256"]).await;
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    sound.finds(&[&name, "is no file"]).await;
}

#[tokio::test]
async fn everything_is_told_and_not_the_first_alone() {
    let sound = Sound::new().await;
    let (x, y) = (sound.data_file("x"), sound.data_file("y"));
    fs::remove_file(&x).unwrap();
    fs::write(&y, "").unwrap();
    fs::write(sound.path("endpoints/snapshot=y/added.parquet"), "x").unwrap();
    fs::remove_file(sound.path("runs/y/run.json")).unwrap();
    fs::remove_file(sound.path("runs/x/rejects.ndjson")).unwrap();
    let names = [&x, &y].map(|path| path.file_name().unwrap().to_str().unwrap());
    sound.finds(&[names[0], names[1], "added.parquet", "runs/y/run.json", "rejects.ndjson is missing"]).await;
}

#[tokio::test]
async fn what_lies_beside_the_data_files_is_found() {
    let sound = Sound::new().await;
    for name in
        ["endpoints/snapshot=x/more.parquet", "endpoints/loose", "endpoints/snapshot=z/part-0.parquet"]
    {
        let path = sound.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::copy(sound.data_file("y"), &path).unwrap();
        sound.finds(&[name, "is not in the Delta log"]).await;
        fs::remove_file(path).unwrap();
    }
    fs::create_dir(sound.path("runs/z")).unwrap();
    sound.finds(&["runs/z", "is of a run whose snapshot"]).await;
    fs::remove_dir(sound.path("runs/z")).unwrap();
    // What is kept of a failed run, and what readers of folders pass over, is no damage.
    fs::create_dir(sound.path("runs/z~failed")).unwrap();
    fs::write(sound.path("endpoints/snapshot=x/_SUCCESS"), "").unwrap();
    assert_eq!(sound.verify(PLAIN).await.findings, []);
}

#[tokio::test]
async fn a_log_that_says_something_else_is_found() {
    let sound = Sound::new().await;
    let commit = sound.commit(1);
    let text = fs::read_to_string(&commit).unwrap();
    let size = sound.data_file("x").metadata().unwrap().len();
    for (from, to, told) in [
        (format!("\"size\":{size}"), format!("\"size\":{}", size + 1), "bytes; the Delta log says"),
        (
            r#"\"numRecords\":40"#.to_owned(),
            r#"\"numRecords\":41"#.to_owned(),
            "counts 40 rows in its footer; the Delta log says 41",
        ),
        ("part-00000".to_owned(), "part-00001".to_owned(), "is missing"),
        ("part-00000".to_owned(), "part-00001".to_owned(), "is not in the Delta log"),
        (
            "\"partitionValues\":{\"snapshot\":\"x\"}".to_owned(),
            "\"partitionValues\":{\"snapshot\":\"y\"}".to_owned(),
            "does not name",
        ),
    ] {
        edit(&commit, &from, &to);
        sound.finds(&[told]).await;
        fs::write(&commit, &text).unwrap();
    }
    // Without the line that adds the file.
    let lines: Vec<_> = text.lines().filter(|line| !line.contains("\"add\"")).collect();
    fs::write(&commit, lines.join("\n")).unwrap();
    sound.finds(&["is not in the Delta log"]).await;
    fs::write(&commit, &text).unwrap();
    // Without the last commit: what it published is there and in no snapshot.
    fs::remove_file(sound.commit(2)).unwrap();
    sound.finds(&["snapshot=y", "is not in the Delta log", "runs/y"]).await;
}

#[tokio::test]
async fn a_log_that_cannot_be_read_is_damage() {
    let sound = Sound::new().await;
    for version in 0..=2 {
        let commit = sound.commit(version);
        let text = fs::read(&commit).unwrap();
        for broken in
            [Some(&b"{"[..]), Some(&text[..text.len() / 2]), (version < 2).then_some(&b""[..]), None]
        {
            match broken {
                Some(bytes) => fs::write(&commit, bytes).unwrap(),
                None if version == 2 => continue,
                None => fs::remove_file(&commit).unwrap(),
            }
            let case = format!("version {version}, {:?}", broken.map(<[u8]>::len));
            match Lake::open(sound.folder.path()).await {
                Err(error) => assert_eq!(error.kind(), ErrorKind::Integrity, "{case}: {error}"),
                Ok(opened) => match opened.verify(None, PLAIN).await {
                    Ok(found) => assert_ne!(found.findings, [], "{case}"),
                    Err(error) => assert_eq!(error.kind(), ErrorKind::Integrity, "{case}: {error}"),
                },
            }
            fs::write(&commit, &text).unwrap();
        }
    }
    assert_eq!(sound.verify(DEEP).await.findings, []);
}

#[tokio::test]
async fn a_manifest_that_says_something_else_is_found() {
    let edits: [Edit; 15] = [
        (|it| it["totals"]["rows"] = 41.into(), "counts 41 rows; the Delta log 40"),
        (|it| it["totals"]["lines"] = 40.into(), "40 lines are 40 rows, 1 rejects"),
        (|it| it["totals"]["rejects"] = 0.into(), "run.json counts 0 rejects"),
        (|it| it["totals"]["duplicate_ids"] = 41.into(), "repeated ids"),
        (|it| it["files"][0]["rows"] = 39.into(), "has 39 rows for"),
        (|it| it["files"][0]["bytes"] = 1.into(), "has 1 bytes for"),
        (
            |it| it["files"][0]["path"] = "endpoints/x".into(),
            "names endpoints/x, which the Delta log does not",
        ),
        (|it| it["files"] = Value::Array(vec![]), "does not name"),
        (|it| it["pieces"] = Value::Array(vec![]), "0 rows in its pieces, and 40 in all"),
        (|it| it["pieces"][0]["rows"] = 39.into(), "41 lines are 39 rows"),
        (|it| it["pieces"][0]["lines"] = u64::MAX.into(), "18446744073709551615 lines are 40 rows"),
        (|it| it["snapshot"] = "y".into(), "is of snapshot `y`"),
        (|it| it["reconciliation"][0]["ok"] = false.into(), "does not hold"),
        (|it| it["reconciliation"][0]["actual"] = 1.into(), "does not hold"),
        (|it| *it = Value::Array(vec![]), "is no manifest of a run"),
    ];
    for (change, told) in edits {
        let sound = Sound::new().await;
        sound.edit_manifest(change);
        sound.finds(&["runs/x/run.json", told]).await;
    }
    let sound = Sound::new().await;
    sound.edit_manifest(|it| it["files"][0]["sha256"] = "0".repeat(64).into());
    sound.finds_with(DEEP, &["SHA-256"]).await;
    sound.edit_manifest(|it| it["pieces"][0]["piece"] = "another".into());
    sound.finds(&["of a piece that run.json does not have"]).await;
    fs::remove_file(sound.path("runs/x/run.json")).unwrap();
    sound.finds(&["runs/x/run.json"]).await;
}

#[tokio::test]
async fn rows_that_are_not_the_pieces_are_found_by_reading_them() {
    // Everything agrees but for what the files hold: two pieces in the manifest, one in the rows.
    let sound = Sound::new().await;
    sound.edit_manifest(|it| {
        let mut other = it["pieces"][0].clone();
        (other["piece"], other["rejects"]) = ("export/part-1.json.gz".into(), 0.into());
        (other["rows"], other["lines"]) = (10.into(), 10.into());
        (it["pieces"][0]["rows"], it["pieces"][0]["lines"]) = (30.into(), 31.into());
        it["pieces"].as_array_mut().unwrap().push(other);
    });
    sound
        .finds_with(
            DEEP,
            &[
                "counts 30 rows of piece `export/part-0.json.gz`; the data files have 40",
                "counts 10 rows of piece `export/part-1.json.gz`; the data files have 0",
                "9 rows say that they are of others",
            ],
        )
        .await;

    // The same lines twice, in two files.
    let folder = tempdir().unwrap();
    let lake = lake(folder.path()).await;
    publish(&lake, "x", StageOptions::default(), &[batch("a", 3), batch("b", 3)]).await.unwrap();
    let found = Lake::open(folder.path()).await.unwrap().verify(None, DEEP).await.unwrap();
    assert!(
        found.findings.iter().any(|it| it.problem.contains("3 rows are of lines")),
        "{:?}",
        found.findings
    );
}

#[tokio::test]
async fn rejects_that_are_not_those_of_the_run_are_found() {
    let good = r#"{"piece":"export/part-0.json.gz","line":41,"offset":99,"reason":"no JSON"}"#;
    let two = format!("{good}\n{good}\n");
    for (text, told) in [
        ("", "has 0 lines; run.json counts 1 rejects"),
        (two.as_str(), "has 2 lines; run.json counts 1 rejects"),
        (good, "is cut short"),
        ("\n", "is no object with piece"),
        ("[]\n", "is no object with piece"),
        ("{\"piece\":\"export/part-0.json.gz\",\"line\":41,\"offset\":99}\n", "is no object with piece"),
        (&format!("{good} x\n"), "is no object with piece"),
        (&good.replace("41", "42").replace('}', "}\n"), "is of a line that its piece does not have"),
        (&good.replace("part-0", "part-1").replace('}', "}\n"), "is of a piece that run.json does not have"),
        (&"[".repeat(100_000).replace(']', "\n"), "is no object with piece"),
    ] {
        let sound = Sound::new().await;
        fs::write(sound.path("runs/x/rejects.ndjson"), text).unwrap();
        sound.finds(&["runs/x/rejects.ndjson", told]).await;
    }
}

#[tokio::test]
async fn a_publication_that_was_interrupted_is_no_damage() {
    let sound = Sound::new().await;
    let lake = Lake::open(sound.folder.path()).await.unwrap();
    // Killed when the files of a replacement lie in place, and the commit was not made yet.
    let replace = StageOptions { replace: true, ..StageOptions::default() };
    let mut staging = lake.stage(id("x"), replace).await.unwrap();
    let mut writer = staging.writer(&WriterOptions::default()).unwrap();
    writer.write(&batch("new", 2)).unwrap();
    let file = writer.close().unwrap();
    fs::write(
        staging.staged.intent(),
        format!(
            r#"{{"uuid":"{}","snapshot":"x","added":["{}"],"replaced":[]}}"#,
            Uuid::new_v4(),
            file.name()
        ),
    )
    .unwrap();
    let place = sound.path("endpoints/snapshot=x").join(file.name());
    fs::rename(staging.staged.partition().join(file.name()), place).unwrap();
    fs::rename(sound.path("runs/x"), staging.staged.replaced_run()).unwrap();
    fs::write(staging.staged.run().join("run.json"), "{}").unwrap();
    fs::rename(staging.staged.run(), sound.path("runs/x")).unwrap();
    staging.fate = crate::publish::Fate::InDoubt;
    for options in [PLAIN, DEEP] {
        let found = sound.verify(options).await;
        assert_eq!(found.findings, []);
        assert_eq!(found.notes.len(), 1, "{:?}", found.notes);
    }
    drop(staging);
    // Settled, nothing is to be noted any more.
    drop(lake.stage(id("other"), StageOptions::default()).await.unwrap());
    assert_eq!(sound.verify(DEEP).await, Verification { notes: vec![], ..sound.verify(DEEP).await });
}

#[cfg(unix)]
#[tokio::test]
async fn links_are_found_and_not_followed() {
    use std::os::unix::fs::symlink;
    let elsewhere = tempdir().unwrap();
    for name in ["endpoints/snapshot=x", "runs/x"] {
        let sound = Sound::new().await;
        let aside = elsewhere.path().join(name.replace('/', "-"));
        fs::rename(sound.path(name), &aside).unwrap();
        symlink(&aside, sound.path(name)).unwrap();
        sound.finds(&[name, "link"]).await;
    }
    let sound = Sound::new().await;
    symlink("/etc/passwd", sound.path("endpoints/snapshot=x/also.parquet")).unwrap();
    sound.finds(&["also.parquet", "is a link"]).await;
}
