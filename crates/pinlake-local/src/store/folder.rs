//! A store's data folder: what is told of buckets and objects in `s3.redb`, the bytes of objects in `objects/`, a file or more
//! each, under random names.
//!
//! Contract: a file is written and synced, and so is its entry in the folder, before the commit that names it; a commit that
//! returns is on the disk. What a kill left that no object names is removed when the folder is opened. One process at a time
//! has the folder. All is its owner's alone (0600, folders 0700).

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;

use redb::{Database, DatabaseError, ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction};
use uuid::Uuid;

use super::body::KeptFile;
use super::record::{self, Record};
use super::{Bucket, Object, StoreError};

/// When a bucket was made, in seconds since the epoch, by its name.
const BUCKETS: TableDefinition<&str, u64> = TableDefinition::new("buckets");

/// JSON by bucket and key.
const OBJECTS: TableDefinition<(&str, &str), &[u8]> = TableDefinition::new("objects");

/// The store of what is told of objects.
const FILE: &str = "s3.redb";

/// The folder of their bytes.
const OBJECTS_FOLDER: &str = "objects";

/// Pages kept in memory; the store itself keeps an index of all objects.
const CACHE_BYTES: usize = 16 << 20;

/// An open data folder.
#[derive(Debug)]
pub(super) struct DataFolder {
    /// `None` once it is closed.
    database: RwLock<Option<Database>>,
    objects: PathBuf,
}

/// Makes the store's own errors ours.
fn database_error(error: impl Into<redb::Error>) -> StoreError {
    StoreError::Database { source: Box::new(error.into()) }
}

impl DataFolder {
    /// Opens the folder, which is made where it does not exist, and tells what is in it.
    pub(super) fn open(folder: &Path) -> Result<(Self, BTreeMap<String, Bucket>), StoreError> {
        let (path, objects) = (folder.join(FILE), folder.join(OBJECTS_FOLDER));
        secure_folder(folder)
            .and_then(|()| secure_folder(&objects))
            .and_then(|()| secure_file(&path))
            .map_err(|source| StoreError::Folder { path: folder.to_owned(), source })?;
        let database =
            Database::builder().set_cache_size(CACHE_BYTES).create(&path).map_err(|error| match error {
                DatabaseError::DatabaseAlreadyOpen => StoreError::InUse { path: path.clone() },
                source => StoreError::Open { path: path.clone(), source: Box::new(source) },
            })?;
        let data = DataFolder { database: RwLock::new(Some(database)), objects };
        data.change(|transaction| {
            transaction.open_table(BUCKETS).map_err(database_error)?;
            transaction.open_table(OBJECTS).map_err(database_error)?;
            Ok(())
        })?;
        let buckets = data.load()?;
        Ok((data, buckets))
    }

    /// Reads what is told of all objects, and removes the files that none of them names.
    fn load(&self) -> Result<BTreeMap<String, Bucket>, StoreError> {
        let database = self.database.read().unwrap_or_else(PoisonError::into_inner);
        let transaction =
            database.as_ref().ok_or(StoreError::Closed)?.begin_read().map_err(database_error)?;
        let mut buckets = BTreeMap::new();
        for entry in
            transaction.open_table(BUCKETS).map_err(database_error)?.iter().map_err(database_error)?
        {
            let (name, seconds) = entry.map_err(database_error)?;
            let created = record::time(seconds.value());
            buckets.insert(name.value().to_owned(), Bucket { created, objects: BTreeMap::new() });
        }
        let mut files = HashMap::new();
        for entry in
            transaction.open_table(OBJECTS).map_err(database_error)?.iter().map_err(database_error)?
        {
            let (place, json) = entry.map_err(database_error)?;
            let (bucket, key) = place.value();
            let record: Record =
                serde_json::from_slice(json.value()).map_err(|source| StoreError::Record { source })?;
            let object = record.into_object(|name| self.kept_file(&mut files, name));
            object.body().name_files();
            // A bucket is deleted only when it is empty.
            if let Some(bucket) = buckets.get_mut(bucket) {
                bucket.objects.insert(key.to_owned(), object);
            }
        }
        self.clear_left_overs(&files)
            .map_err(|source| StoreError::Folder { path: self.objects.clone(), source })?;
        Ok(buckets)
    }

    /// The file of this name, one and the same for all objects that name it.
    fn kept_file(&self, files: &mut HashMap<String, Arc<KeptFile>>, name: String) -> Arc<KeptFile> {
        let path = self.objects.join(&name);
        Arc::clone(files.entry(name).or_insert_with(|| Arc::new(KeptFile::new(path))))
    }

    /// Removes what is not among these files.
    fn clear_left_overs(&self, files: &HashMap<String, Arc<KeptFile>>) -> io::Result<()> {
        for entry in fs::read_dir(&self.objects)? {
            let entry = entry?;
            let is_named = entry.file_name().to_str().is_some_and(|name| files.contains_key(name));
            // Files of ours have names without a dot; anything else is somebody else's.
            let is_ours = entry.file_name().to_str().is_some_and(|name| Uuid::try_parse(name).is_ok());
            if is_ours && !is_named && entry.file_type()?.is_file() {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    /// Gives the folder up, so that another server can have it: what still holds the store cannot change it any more.
    pub(super) fn close(&self) {
        self.database.write().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// Makes a file for bytes that are to come.
    pub(super) fn create_file(&self) -> Result<(File, KeptFile), StoreError> {
        let path = self.objects.join(Uuid::new_v4().simple().to_string());
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path).map_err(|source| StoreError::Bytes { source })?;
        Ok((file, KeptFile::new(path)))
    }

    /// Puts down a bucket.
    pub(super) fn put_bucket(&self, bucket: &str, created: SystemTime) -> Result<(), StoreError> {
        self.change(|transaction| {
            let mut buckets = transaction.open_table(BUCKETS).map_err(database_error)?;
            buckets.insert(bucket, record::seconds(created)).map_err(database_error)?;
            Ok(())
        })
    }

    /// Strikes out a bucket.
    pub(super) fn remove_bucket(&self, bucket: &str) -> Result<(), StoreError> {
        self.change(|transaction| {
            let mut buckets = transaction.open_table(BUCKETS).map_err(database_error)?;
            buckets.remove(bucket).map_err(database_error)?;
            Ok(())
        })
    }

    /// Puts down an object whose files are written and synced.
    pub(super) fn put_object(&self, bucket: &str, key: &str, object: &Object) -> Result<(), StoreError> {
        let json = serde_json::to_vec(&Record::of(object)).map_err(|source| StoreError::Record { source })?;
        sync_folder(&self.objects).map_err(|source| StoreError::Bytes { source })?;
        self.change(|transaction| {
            let mut objects = transaction.open_table(OBJECTS).map_err(database_error)?;
            objects.insert((bucket, key), json.as_slice()).map_err(database_error)?;
            Ok(())
        })
    }

    /// Strikes out an object.
    pub(super) fn remove_object(&self, bucket: &str, key: &str) -> Result<(), StoreError> {
        self.change(|transaction| {
            let mut objects = transaction.open_table(OBJECTS).map_err(database_error)?;
            objects.remove((bucket, key)).map_err(database_error)?;
            Ok(())
        })
    }

    fn change(
        &self,
        change: impl FnOnce(&WriteTransaction) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let database = self.database.read().unwrap_or_else(PoisonError::into_inner);
        let transaction =
            database.as_ref().ok_or(StoreError::Closed)?.begin_write().map_err(database_error)?;
        change(&transaction)?;
        transaction.commit().map_err(database_error)
    }
}

/// Brings the folder's entries to the disk.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// Makes the folder, for its owner alone.
fn secure_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Makes the file, where there is none, for its owner alone.
fn secure_file(path: &Path) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

#[cfg(test)]
mod tests;
