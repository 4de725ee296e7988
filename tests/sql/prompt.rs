//! The prompt, driven through a terminal as a person drives it.

use std::os::unix::fs::PermissionsExt as _;

use crate::harness::{Room, Terminal, gzip, population};

fn room() -> Room {
    let room = Room::new();
    let audience = population(3_000, 0.0);
    room.write("in/a.gz", audience.piece(0..3_000));
    room.pinlake(&["convert", "in", "--snapshot", "first"]).succeeds();
    room
}

fn prompt(room: &Room, args: &[&str]) -> Terminal {
    let mut terminal = Terminal::open(room, args);
    terminal.sees("pinlake> ");
    terminal
}

#[test]
fn queries_span_lines_and_errors_do_not_end_the_prompt() {
    let room = room();
    let mut terminal = prompt(&room, &["sql", "--param", "who=me"]);
    // Typed ahead, as people do and as a paste does.
    terminal.types("select count(*) as n,");
    terminal.types("  'a;b' as text, $who as who from endpoints;");
    terminal.sees("3,000");
    terminal.sees("pinlake> ");
    terminal.types("select chanel_type from endpoints;");
    terminal.sees("line 1, column 8");
    terminal.sees("pinlake> ");
    terminal.types("\\nonsense");
    terminal.sees("\\? lists them");
    terminal.sees("pinlake> ");
    terminal.types("select 40 + 2 as answer; select 7 * 6 as again;");
    terminal.sees("42");
    terminal.sees("42");
    terminal.sees("pinlake> ");
    terminal.types("\\q");
    assert_eq!(terminal.ends(), 0);
}

#[test]
fn commands_list_report_time_and_redirect() {
    let room = room();
    let mut terminal = prompt(&room, &["sql"]);
    terminal.types("\\d");
    terminal.sees("user_attributes");
    terminal.sees("pinlake> ");
    terminal.types("\\d snapshots");
    terminal.sees("committed_at");
    terminal.sees("timestamp (UTC)");
    terminal.sees("pinlake> ");
    terminal.types("\\d nothing");
    terminal.sees("there is no table");
    terminal.sees("pinlake> ");
    terminal.types("\\r opt-out min_endpoints=3");
    terminal.sees("opted_out");
    terminal.sees("pinlake> ");
    terminal.types("\\timing");
    terminal.sees("timing is on");
    terminal.sees("pinlake> ");
    terminal.types("select 'timed';");
    terminal.sees("time: ");
    terminal.sees("pinlake> ");
    terminal.types("\\o rows.csv");
    terminal.sees("pinlake> ");
    terminal.types("select id from endpoints order by id limit 2;");
    terminal.sees("wrote rows.csv");
    terminal.sees("pinlake> ");
    terminal.types("\\o missing/rows.csv");
    terminal.sees("there is no folder missing");
    terminal.sees("pinlake> ");
    terminal.types("\\o");
    terminal.sees("pinlake> ");
    terminal.types("\\format json");
    terminal.sees("pinlake> ");
    terminal.types("select 1 as back;");
    terminal.sees("{\"back\":1}");
    terminal.sees("pinlake> ");
    terminal.control('d');
    assert_eq!(terminal.ends(), 0);
    assert_eq!(room.read("rows.csv").lines().count(), 3);
}

#[test]
fn an_interrupt_stops_the_query_and_not_the_prompt() {
    let room = room();
    let mut terminal = prompt(&room, &["sql"]);
    // 27,000,000,000 pairs of pairs: hours, were it not stopped.
    terminal.types(
        "select count(*) from endpoints a, endpoints b, endpoints c where a.id > b.id and b.line < c.line;",
    );
    // The editor gives the terminal back, so that the key is a signal from here on.
    terminal.sees("\x1b[?2004l");
    terminal.control('c');
    terminal.sees("stopped");
    terminal.sees("pinlake> ");
    // What is typed and not sent goes as well, also in the middle of a statement.
    terminal.types("select 'gone'");
    terminal.sees("-> ");
    terminal.control('c');
    terminal.sees("pinlake> ");
    terminal.types("select 'he' || 're' as still;");
    terminal.sees("here");
    terminal.sees("pinlake> ");
    terminal.control('d');
    assert_eq!(terminal.ends(), 0);
}

#[test]
fn a_paste_of_several_statements_and_commands_is_taken_line_by_line() {
    let room = room();
    let mut terminal = prompt(&room, &["sql"]);
    terminal.keys("\x1b[200~select 6\n * 7 as x;\n\\d snapshots\nselect 2 * 50;\x1b[201~\r");
    terminal.sees("42");
    terminal.sees("committed_at");
    terminal.sees("100");
    terminal.sees("pinlake> ");
    terminal.control('d');
    assert_eq!(terminal.ends(), 0);
}

#[test]
fn the_tab_key_completes() {
    let room = room();
    let mut terminal = prompt(&room, &["sql"]);
    terminal.keys("select count(*) as n from all_e\t where channel_t\t is not null;\r");
    terminal.sees("3,000");
    terminal.sees("pinlake> ");
    terminal.keys("select count(*) as pieces from read_pieces('i\ta\t');\r");
    terminal.sees("3,000");
    terminal.sees("pinlake> ");
    terminal.control('d');
    assert_eq!(terminal.ends(), 0);
}

#[test]
fn the_history_is_its_owners_alone_and_can_be_turned_off() {
    let room = Room::new();
    room.write("in/a.gz", gzip("{\"Id\":\"1\"}"));
    let mut terminal = Terminal::open(&room, &["sql"]);
    terminal.sees("no lake");
    terminal.sees("pinlake> ");
    terminal.types("select id");
    terminal.types("from read_pieces('in');");
    terminal.sees("pinlake> ");
    terminal.types(" select 'secret' as x;");
    terminal.sees("pinlake> ");
    terminal.types("\\q");
    assert_eq!(terminal.ends(), 0);
    let file = room.path("home/.local/state/pinlake/sql_history");
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&file), mode(file.parent().unwrap())), (0o600, 0o700));
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains("from read_pieces('in');") && !text.contains("secret"), "{text}");

    // The arrow brings back the whole statement.
    let mut terminal = prompt(&room, &["sql", "--format", "json"]);
    terminal.keys("\x1b[A\x1b[A\r");
    terminal.sees("{\"id\":\"1\"}");
    terminal.sees("pinlake> ");
    terminal.control('d');
    assert_eq!(terminal.ends(), 0);

    std::fs::remove_file(&file).unwrap();
    let mut terminal = Terminal::open_with(&room, &["sql"], &[("PINLAKE_HISTORY", "off")]);
    terminal.sees("pinlake> ");
    terminal.types("select 1;");
    terminal.sees("pinlake> ");
    terminal.control('d');
    assert_eq!(terminal.ends(), 0);
    assert!(!file.exists());
}
