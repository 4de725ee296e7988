//! Pieces that inflate without end, or hold members without number; and the verdict of `gzip -t` on damaged ones (R3, R5).

use std::io::Write as _;
use std::process::{Command, Stdio};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;

use crate::harness::{Room, gzip};

/// A member of so many mebibytes of zeros.
fn bomb(mebibytes: usize) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let block = vec![0; 1 << 20];
    for _ in 0..mebibytes {
        encoder.write_all(&block).unwrap();
    }
    encoder.finish().unwrap()
}

#[test]
fn a_bomb_is_given_up_and_named_and_read_where_that_is_asked_for() {
    let room = Room::new();
    room.write("in/good.gz", gzip("{\"Id\":\"1\"}"));
    room.write("in/zeros.gz", bomb(100));
    let named = ["in", "zeros.gz", "bomb", "--max-ratio", "100 are allowed"];
    room.pinlake(&["convert", "in", "--snapshot", "s"]).fails(8, &named[1..]);
    assert!(room.lake().live_files().is_empty(), "nothing was published");
    room.pinlake(&["sql", "SELECT count(*) FROM read_pieces('in')"]).fails(8, &["zeros.gz", "--max-ratio"]);
    // A line of 100 MB of zeros is one reject.
    let all = ["convert", "in", "--snapshot", "s", "--max-ratio", "0", "--max-rejects", "1"];
    room.pinlake(&all).succeeds();
    assert_eq!(room.lake().ids("s"), ["1"]);
    let rejects = room.lake().rejects("s");
    let reason = rejects[0]["reason"].as_str().unwrap();
    assert!(rejects.len() == 1 && reason.contains("line of 104857600 bytes"), "{reason}");
}

#[test]
fn a_piece_larger_than_allowed_is_given_up_and_named() {
    let room = Room::new();
    for name in ["in/large.gz", "plain/large.json"] {
        let text = "{\"Id\":\"1\"}\n".repeat(1_000);
        let folder = name.split('/').next().unwrap();
        room.write(name, if folder == "in" { gzip(text) } else { text.into_bytes() });
        let args = ["convert", folder, "--snapshot", folder, "--max-piece", "10KB"];
        room.pinlake(&args).fails(8, &["large", "10000 bytes", "--max-piece"]);
        room.pinlake(&["convert", folder, "--snapshot", folder, "--max-piece", "11KB"]).succeeds();
    }
    room.pinlake(&["convert", "in", "--max-piece", "much"]).ends(2);
    room.pinlake(&["convert", "in", "--max-ratio", "-1"]).ends(2);
}

#[test]
fn members_without_number_are_one_stream() {
    let room = Room::new();
    let empty = gzip("");
    let mut piece = empty.repeat(100_000);
    piece.extend(gzip("{\"Id\":\"1\"}\n"));
    piece.extend(gzip("{\"Id\":\"2\"}\n").repeat(100_000));
    piece.extend(empty.repeat(1_000));
    room.write("in/members.gz", piece);
    room.pinlake(&["convert", "in", "--snapshot", "s", "--expect-rows", "100001"]).succeeds();
    let found = room.sql("SELECT count(*) AS n, count(*) FILTER (WHERE id = '2') AS twos FROM endpoints");
    assert_eq!(found, [json!({ "n": 100_001, "twos": 100_000 })]);
}

/// The verdict of `gzip -t` on these bytes; none where there is no gzip. Warnings (2) are about what follows the last member.
fn verdict_of_gzip(bytes: &[u8]) -> Option<bool> {
    let child = Command::new("gzip")
        .arg("-tq")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let mut child = child.ok()?;
    // It may have seen enough before the end.
    let _ = child.stdin.take()?.write_all(bytes);
    Some(child.wait().unwrap().success())
}

/// Our verdict, through the crate that every reader of pieces goes through.
fn verdict(bytes: &[u8]) -> bool {
    use pinlake_decode::unpack::BufferPool;
    use pinlake_decode::{PieceFormat, UnpackLimits, Unpacker};
    let mut unpacker = Unpacker::new(PieceFormat::Gzip, UnpackLimits::default(), &BufferPool::new(0));
    let piece = bytes::Bytes::copy_from_slice(bytes);
    unpacker.feed_whole(&piece, &mut |_| {}).and_then(|()| unpacker.finish(&mut |_| {})).is_ok()
}

#[test]
fn the_verdict_on_damage_is_that_of_gzip() {
    if verdict_of_gzip(&gzip("x")).is_none() {
        eprintln!("skipped: there is no gzip on this machine");
        return;
    }
    let one = gzip("{\"Id\":\"1\"}\n{\"Id\":\"2\"}\n");
    let trailer = one.len() - 8;
    let mut forms: Vec<(String, Vec<u8>)> = vec![
        ("one".into(), one.clone()),
        ("several".into(), [&one[..], &gzip(""), &one].concat()),
        ("an empty member".into(), gzip("")),
        ("zero padding".into(), [&one[..], &[0; 512]].concat()),
    ];
    forms.extend((1..one.len()).map(|end| (format!("cut at {end}"), one[..end].to_vec())));
    forms.extend((0..one.len()).filter(|at| !(4..10).contains(at)).map(|at| {
        let mut flipped = one.clone();
        flipped[at] ^= 0x55;
        (format!("byte {at} flipped"), flipped)
    }));
    for at in [trailer, trailer + 4] {
        let mut wrong = [&one[..], &one].concat();
        wrong[at] ^= 1;
        forms.push((format!("wrong trailer at {at}"), wrong));
    }
    for (form, bytes) in &forms {
        assert_eq!(Some(verdict(bytes)), verdict_of_gzip(bytes), "{form}");
    }
    // gzip warns of trailing garbage and ignores it. What it ignores may be lines that were meant to be read: here it is damage.
    let garbage = [&one[..], b"garbage"].concat();
    assert_eq!((verdict(&garbage), verdict_of_gzip(&garbage)), (false, Some(false)));
}
