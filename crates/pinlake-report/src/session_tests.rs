//! The views, what is refused, and what errors say.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema};

use crate::test_lake::{TestLake, chain};
use crate::{Bindings, ErrorKind, QueryError, Session, SessionOptions};

const ROWS: &str = r#"
{"id":"a","channel_type":"SMS","endpoint_status":"ACTIVE","address":"+1","user_id":"u","attributes":{"x":["1",null,"2"],"y":[],"z":null},"metrics":{"m":6,"n":null},"user_attributes":{"Plan":["gold"]}}
{"id":"b","channel_type":"EMAIL","endpoint_status":"ACTIVE","opt_out":"ALL","address":"u@example.com","creation_date":"2026-01-05T10:00:00Z","user_id":"u","attributes":{}}
{"id":"c"}
"#;

fn lake() -> TestLake {
    TestLake::empty()
        .with_snapshot("first", &[r#"{"id":"old"}"#])
        .with_snapshot("second", &[ROWS, r#"{"id":"d","channel_type":"SMS","user_id":"v"}"#])
}

async fn failure(lake: &TestLake, sql: &str) -> QueryError {
    lake.session().await.query(sql, &Bindings::none()).await.map(|result| result.rows()).unwrap_err()
}

#[tokio::test]
async fn endpoints_are_the_selected_snapshot_and_all_endpoints_every_one() {
    let lake = lake();
    assert_eq!(
        lake.sql("SELECT id, snapshot FROM endpoints ORDER BY id LIMIT 1").await,
        "id,snapshot\na,second\n"
    );
    assert_eq!(lake.sql("SELECT count(*) AS n FROM endpoints").await, "n\n4\n");
    assert_eq!(
        lake.sql("SELECT snapshot, count(*) AS n FROM all_endpoints GROUP BY 1 ORDER BY 1").await,
        "snapshot,n\nfirst,1\nsecond,4\n"
    );
    let one = "SELECT id, piece, line FROM all_endpoints WHERE snapshot = 'first'";
    assert_eq!(lake.sql(one).await, "id,piece,line\nold,piece-0.gz,1\n");
    assert_eq!(
        lake.sql("SELECT snapshot, rows, files, committed_at FROM snapshots").await,
        "snapshot,rows,files,committed_at\nfirst,1,1,\nsecond,4,2,\n"
    );
}

#[tokio::test]
async fn counting_rows_opens_no_file() {
    let lake = lake();
    let plan = lake.sql("EXPLAIN SELECT count(*) FROM endpoints").await;
    assert!(plan.contains("PlaceholderRowExec") && !plan.contains("parquet"), "{plan}");
}

#[tokio::test]
async fn maps_come_apart_into_rows() {
    let lake = lake();
    assert_eq!(
        lake.sql("SELECT * FROM attributes ORDER BY id, name, value NULLS LAST").await,
        "id,name,value\na,x,1\na,x,2\na,x,\n"
    );
    assert_eq!(lake.sql("SELECT * FROM metrics ORDER BY name").await, "id,name,value\na,m,6.0\na,n,\n");
    assert_eq!(lake.sql("SELECT * FROM user_attributes").await, "user_id,id,name,value\nu,a,Plan,gold\n");
    assert_eq!(
        lake.sql("SELECT map_entries(attributes) AS e FROM endpoints WHERE id = 'b'").await,
        "e\n[]\n"
    );
}

#[tokio::test]
async fn files_may_name_the_parts_of_maps_and_lists_otherwise() {
    let mut lake = lake();
    let list = DataType::List(Arc::new(Field::new("item", DataType::Utf8, true)));
    let (key, value) = (Field::new("key", DataType::Utf8, false), Field::new("value", list, true));
    let renamed = Field::new_map("attributes", "entries", key, value, false, true);
    let fields = lake.tables_mut().schema.fields().iter().map(|field| match field.name().as_str() {
        "attributes" => renamed.clone(),
        _ => field.as_ref().clone(),
    });
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    lake.tables_mut().schema = schema;
    assert_eq!(lake.sql("SELECT count(*) AS n FROM attributes").await, "n\n3\n");
}

#[tokio::test]
async fn users_are_one_row_each() {
    assert_eq!(
        lake().sql("SELECT * FROM users ORDER BY user_id").await,
        "user_id,endpoints,channels,targetable,opted_out,first_created,last_effective\n\
         u,2,\"[\"\"EMAIL\"\",\"\"SMS\"\"]\",1,1,2026-01-05T10:00:00Z,\n\
         v,1,\"[\"\"SMS\"\"]\",0,0,,\n"
    );
}

#[tokio::test]
async fn a_lake_without_a_snapshot_has_empty_views() {
    let reference = ["countries", "country_codes", "calling_codes", "timezones"];
    let lake = TestLake::empty();
    for view in lake.session().await.view_names() {
        if !reference.contains(&view) {
            let rows = lake.sql(&format!("SELECT count(*) AS n FROM {view}")).await;
            assert_eq!(rows, "n\n0\n", "{view}");
        }
    }
}

#[tokio::test]
async fn statements_that_change_anything_are_refused() {
    let lake = lake();
    let target = tempfile::tempdir().expect("a temporary folder");
    let file = target.path().join("out.parquet");
    let statements = [
        format!("COPY (SELECT * FROM endpoints) TO '{}'", file.display()),
        format!("EXPLAIN ANALYZE COPY (SELECT 1) TO '{}'", file.display()),
        "CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '/etc/passwd'".to_owned(),
        "CREATE TABLE t AS SELECT 1".to_owned(),
        "CREATE VIEW t AS SELECT 1".to_owned(),
        "INSERT INTO endpoints SELECT * FROM endpoints".to_owned(),
        "DELETE FROM endpoints".to_owned(),
        "DROP VIEW users".to_owned(),
        "SET datafusion.execution.batch_size = 1".to_owned(),
    ];
    for statement in statements {
        let error = failure(&lake, &statement).await;
        assert!(matches!(error, QueryError::ReadOnly { .. }), "{statement}: {error}");
        assert_eq!(error.kind(), ErrorKind::Usage);
    }
    assert!(!file.exists());
    assert_eq!(failure(&lake, "SELECT * FROM '/etc/passwd'").await.kind(), ErrorKind::Usage);
    assert!(lake.sql("DESCRIBE snapshots").await.contains("committed_at"));
    assert!(lake.sql("SHOW TABLES").await.contains("all_endpoints"));
}

#[tokio::test]
async fn errors_of_sql_point_at_their_place() {
    let lake = lake();
    let mut told = Vec::new();
    for sql in [
        "SELECT id,\n       chanel_type\nFROM endpoints",
        "SELECT id\nFORM endpoints",
        "SELECT id FROM endpoint",
        "SELECT nosuch(id) FROM endpoints",
        "SELECT 1; SELECT 2",
        "",
        "SELECT $missing",
    ] {
        told.push(failure(&lake, sql).await.to_string());
    }
    insta::assert_snapshot!(told.join("\n\n"));
}

#[tokio::test]
async fn errors_on_rows_hold_no_values() {
    let error = failure(&lake(), "SELECT CAST(address AS BIGINT) FROM endpoints WHERE id = 'b'").await;
    assert_eq!(error.kind(), ErrorKind::Usage);
    let told = format!("{} {error:?}", chain(&error));
    assert!(!told.contains("example.com"), "{told}");
    assert!(told.contains("Int64"), "{told}");
}

#[tokio::test]
async fn values_are_bound_and_never_part_of_the_text() {
    let lake = lake();
    let session = lake.session().await;
    let given = |value: &str| Bindings::inferred(BTreeMap::from([("v".to_owned(), value.to_owned())]));
    let count = async |sql: &str, value: &str| {
        session.query(sql, &given(value)).await.map(|result| result.rows()).map_err(|error| error.to_string())
    };
    let by_id = "SELECT * FROM endpoints WHERE id = $v";
    assert_eq!(count(by_id, "a").await, Ok(1));
    assert_eq!(count(by_id, "a' OR '1' = '1").await, Ok(0));
    assert_eq!(count("SELECT * FROM endpoints WHERE creation_date >= $v", "2026-01-05").await, Ok(1));
    assert_eq!(count("SELECT * FROM endpoints LIMIT $v", "2").await, Ok(2));
    let wrong = count("SELECT * FROM endpoints WHERE line > $v", "many").await.unwrap_err();
    assert_eq!(wrong, "parameter \"v\" takes a whole number, not \"many\"");
}

#[tokio::test]
async fn files_that_are_not_what_the_log_says_are_named() {
    // An aggregate would do without the file whose statistics say that it cannot matter.
    let everything = "SELECT id FROM endpoints";
    let mut shorter = lake();
    shorter.tables_mut().files[1].bytes -= 1;
    let error = failure(&shorter, everything).await;
    assert_eq!(error.kind(), ErrorKind::Integrity);
    assert!(error.to_string().contains("part 00000.parquet has "), "{error}");

    let mut missing = lake();
    std::fs::remove_file(&missing.tables_mut().files[2].path).expect("removes the file");
    let error = failure(&missing, everything).await;
    assert_eq!(error.kind(), ErrorKind::Integrity);
    assert!(chain(&error).contains("part 00001.parquet cannot be read: No such file"), "{}", chain(&error));

    let mut damaged = lake();
    let file = damaged.tables_mut().files[2].clone();
    let length = usize::try_from(file.bytes).expect("a small file");
    std::fs::write(&file.path, vec![0; length]).expect("writes over the file");
    let error = failure(&damaged, everything).await;
    assert_eq!(error.kind(), ErrorKind::Integrity);
    assert!(error.to_string().contains("part 00001.parquet is damaged"), "{error}");

    let mut flipped = lake();
    let path = flipped.tables_mut().files[1].path.clone();
    let mut bytes = std::fs::read(&path).expect("reads the file");
    bytes[4..200].fill(0xff);
    std::fs::write(&path, bytes).expect("writes over the file");
    let error = failure(&flipped, everything).await;
    assert_eq!(error.kind(), ErrorKind::Integrity, "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn any_damage_of_a_file_is_its_damage_and_no_bug() {
    let mut lake = lake();
    let path = lake.tables_mut().files[1].path.clone();
    let bytes = std::fs::read(&path).expect("reads the file");
    let mut failed = 0;
    for at in (0..bytes.len()).step_by(307) {
        for change in [0x01, 0x80, 0xff] {
            let mut changed = bytes.clone();
            changed[at] ^= change;
            std::fs::write(&path, changed).expect("writes over the file");
            let session = lake.session().await;
            match session.query("SELECT * FROM endpoints ORDER BY id", &Bindings::none()).await {
                // It changed a value, or something that nobody reads.
                Ok(_) => {}
                Err(error) => {
                    assert_eq!(
                        error.kind(),
                        ErrorKind::Integrity,
                        "byte {at} ^ {change:x}: {}",
                        chain(&error)
                    );
                    failed += 1;
                }
            }
        }
    }
    assert!(failed > 3, "{failed} of {} bytes", bytes.len());
}

#[tokio::test]
async fn a_filter_on_the_snapshot_chooses_files() {
    let mut lake = lake();
    let counted = "SELECT count(*) AS n FROM all_endpoints WHERE snapshot IN ('first', 'other')";
    assert_eq!(lake.sql(counted).await, "n\n1\n");
    let newest = "SELECT count(*) AS n FROM all_endpoints
                  WHERE snapshot = (SELECT max(snapshot) FROM snapshots) AND id < 'c'";
    assert_eq!(lake.sql(newest).await, "n\n2\n");
    assert_eq!(lake.sql("SELECT id FROM all_endpoints WHERE snapshot || id = 'firstold'").await, "id\nold\n");
    // The files of the other snapshot are not even looked at.
    std::fs::remove_file(&lake.tables_mut().files[1].path).expect("removes the file");
    let rows = lake.sql("SELECT id FROM all_endpoints WHERE snapshot < 'm' AND line = 1").await;
    assert_eq!(rows, "id\nold\n");
}

#[tokio::test]
async fn a_memory_limit_is_an_error_and_not_a_crash() {
    let lines = (0..20_000).map(|id| format!("{{\"id\":\"endpoint-{id}\"}}")).collect::<Vec<_>>().join("\n");
    let mut lake = TestLake::empty().with_snapshot("s", &[&lines]);
    let options =
        SessionOptions { threads: 2, memory_limit_bytes: Some(100_000), ..SessionOptions::default() };
    let session = Session::open(lake.tables_mut().clone(), options).await.expect("the session opens");
    let sql = "SELECT id, count(*) FROM endpoints GROUP BY id ORDER BY id";
    let error = session.query(sql, &Bindings::none()).await.map(|result| result.rows()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Resource, "{error}");

    let spill = tempfile::tempdir().expect("a temporary folder");
    let options = SessionOptions {
        threads: 1,
        memory_limit_bytes: Some(12_000_000),
        spill_dir: Some(spill.path().to_owned()),
        ..SessionOptions::default()
    };
    let session = Session::open(lake.tables_mut().clone(), options).await.expect("the session opens");
    let result = session.query(sql, &Bindings::none()).await.expect("the query spills");
    assert_eq!(result.rows(), 20_000);
}
