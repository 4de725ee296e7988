//! Platforms, devices and versions.

use serde_json::json;

use super::{awkward, lake, lake_of};

#[tokio::test]
async fn platforms() {
    assert_eq!(
        lake().csv("platforms", &[("min_endpoints", "1")]).await,
        "platform,platform_version,endpoints,share\n,,6,0.75\nandroid,14,1,0.125\nios,17.1,1,0.125\n"
    );
}

#[tokio::test]
async fn app_versions() {
    // Nobody told a version. Those that tell none are shares of the whole, not of those that do.
    assert_eq!(
        lake().csv("app-versions", &[]).await,
        "app_version,month,endpoints,share,month_share\n\
         ,2025-10-01,1,0.125,\n\
         ,2026-07-01,1,0.125,\n\
         ,2026-10-01,4,0.5,\n\
         ,,2,0.25,\n"
    );
    assert_eq!(
        awkward().csv("app-versions", &[]).await,
        "app_version,month,endpoints,share,month_share\n\
         ,0001-01-01,1,0.1,\n\
         ,1969-12-01,1,0.1,\n\
         ,1970-01-01,1,0.1,\n\
         ,2024-02-01,2,0.2,\n\
         \"\",9999-12-01,1,0.1,1.0\n\
         ,9999-12-01,1,0.1,\n\
         ,,3,0.3,\n"
    );
}

#[tokio::test]
async fn app_versions_share_their_month() {
    let told = |version: &str, date: &str| json!({ "app_version": version, "effective_date": date });
    let lake = lake_of([
        told("3.9", "2026-09-30T23:59:59.999999Z"),
        told("3.10", "2026-10-01T00:00:00Z"),
        told("3.10", "2026-10-02T00:00:00Z"),
        told("3.10", "2026-10-03T00:00:00Z"),
        told("3.9", "2026-10-31T23:59:59Z"),
        json!({ "effective_date": "2026-10-09T00:00:00Z" }),
        json!({ "app_version": "3.9" }),
        json!({}),
    ]);
    assert_eq!(
        lake.csv("app-versions", &[]).await,
        "app_version,month,endpoints,share,month_share\n\
         3.9,2026-09-01,1,0.125,1.0\n\
         3.10,2026-10-01,3,0.375,0.75\n\
         3.9,2026-10-01,1,0.125,0.25\n\
         ,2026-10-01,1,0.125,\n\
         3.9,,1,0.125,1.0\n\
         ,,1,0.125,\n"
    );
    // What is left out is left out of the table and not of the whole.
    assert_eq!(
        lake.csv("app-versions", &[("min_endpoints", "2")]).await,
        "app_version,month,endpoints,share,month_share\n3.10,2026-10-01,3,0.375,0.75\n"
    );
}

#[tokio::test]
async fn devices() {
    assert_eq!(lake().csv("devices", &[]).await, "make,model,model_version,endpoints,share\n,,,8,1.0\n");
    assert_eq!(
        awkward().csv("devices", &[]).await,
        "make,model,model_version,endpoints,share\n\
         ,,,9,0.9\n\
         Apple,\"a \"\"model\"\",\nand more\",,1,0.1\n"
    );
    let device = |make: &str, model: &str| json!({ "make": make, "model": model, "model_version": "1" });
    let lake = lake_of([
        device("apple", "iPhone"),
        device("Apple", "iPhone"),
        device("Apple", "iPhone"),
        json!({ "make": "Apple", "model": "iPhone" }),
    ]);
    assert_eq!(
        lake.csv("devices", &[]).await,
        "make,model,model_version,endpoints,share\n\
         Apple,iPhone,1,2,0.5\n\
         Apple,iPhone,,1,0.25\n\
         apple,iPhone,1,1,0.25\n"
    );
    assert_eq!(
        lake.csv("devices", &[("min_endpoints", "2")]).await,
        "make,model,model_version,endpoints,share\nApple,iPhone,1,2,0.5\n"
    );
}
