//! Faults that were found once, each with the command that showed it.

use crate::harness::Room;

/// The message was "the output cannot be written", and nobody could tell which of many files was meant.
#[test]
fn a_result_that_cannot_be_written_is_named() {
    let room = Room::new();
    room.pinlake(&["generate", "1000", "in", "--pieces", "1"]).succeeds();
    room.pinlake(&["convert", "in", "--snapshot", "s"]).succeeds();
    // 50 kB, which neither the rows nor the page fit in.
    let line = "trap '' XFSZ; ulimit -f 100; exec \"$0\" \"$@\"";
    for (args, file) in [
        (&["sql", "SELECT * FROM endpoints", "--out", "rows.json"][..], "rows.json"),
        (&["report", "--all", "--out", "page.html"], "page.html"),
    ] {
        room.pinlake_in_shell(line, args).fails(8, &[file, "File too large"]);
    }
    assert_eq!(room.names(), ["in", "lake"], "half a result is none");
}
