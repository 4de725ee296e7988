//! Texts in columns: plain ones one by one, those of a dictionary once for all the batches that share it.

use std::ptr;
use std::sync::Arc;

use arrow::array::{Array as _, ArrayRef, AsArray as _, DictionaryArray, StringArray, StringBuilder};
use arrow::datatypes::{DataType, Int32Type};
use arrow::error::ArrowError;

use super::key::RedactKey;
use super::mask::{masked, masked_postal_code};

/// What becomes of a text.
#[derive(Clone, Debug)]
pub(super) enum Treatment {
    Mask { is_postal_code: bool },
    Hash(RedactKey),
}

impl Treatment {
    pub(super) fn of(&self, text: &str) -> String {
        match self {
            Self::Mask { is_postal_code: false } => masked(text),
            Self::Mask { is_postal_code: true } => masked_postal_code(text),
            Self::Hash(key) => key.hash(text),
        }
    }
}

/// The dictionary that was treated last. A decoder's dictionary is shared by batches and grows at its end, and the writer knows
/// one that it has seen by where it lies in memory: so what comes from here is the same array as long as what went in is.
#[derive(Debug, Default)]
pub(super) struct KnownDictionary(Option<(StringArray, Arc<StringArray>)>);

impl KnownDictionary {
    fn treated(&mut self, values: &StringArray, treatment: &Treatment) -> Arc<StringArray> {
        let known = self.0.take().filter(|(source, _)| begins_with(values, source));
        if let Some((source, treated)) = &known
            && source.len() == values.len()
        {
            let treated = Arc::clone(treated);
            self.0 = known;
            return treated;
        }
        let mut texts = StringBuilder::new();
        let mut done = 0;
        if let Some((_, treated)) = &known {
            treated.iter().for_each(|text| texts.append_option(text));
            done = treated.len();
        }
        for text in values.iter().skip(done) {
            texts.append_option(text.map(|text| treatment.of(text)));
        }
        let treated = Arc::new(texts.finish());
        self.0 = Some((values.clone(), Arc::clone(&treated)));
        treated
    }
}

/// Whether the first texts of `longer` are those of `shorter`.
fn begins_with(longer: &StringArray, shorter: &StringArray) -> bool {
    let (long, short) = (longer.value_offsets(), shorter.value_offsets());
    let is_same_memory = ptr::eq(long.as_ptr(), short.as_ptr())
        && ptr::eq(longer.value_data().as_ptr(), shorter.value_data().as_ptr());
    if longer.len() == shorter.len() && is_same_memory {
        return true;
    }
    let no_nulls = longer.null_count() == 0 && shorter.null_count() == 0;
    no_nulls
        && longer.len() >= shorter.len()
        && shorter.iter().zip(longer.iter()).all(|(short, long)| short == long)
}

/// The texts of an array, plain or by dictionary, each as `treatment` has it.
pub(super) fn treated(
    array: &ArrayRef,
    treatment: &Treatment,
    known: &mut KnownDictionary,
) -> Result<ArrayRef, ArrowError> {
    if let Some(texts) = array.as_string_opt::<i32>() {
        let treated = texts.iter().map(|text| text.map(|text| treatment.of(text)));
        return Ok(Arc::new(treated.collect::<StringArray>()));
    }
    let labels = array.as_dictionary_opt::<Int32Type>().ok_or_else(|| no_text(array.data_type()))?;
    let values = texts_of(labels)?;
    let treated = known.treated(values, treatment);
    Ok(Arc::new(DictionaryArray::try_new(labels.keys().clone(), treated)?))
}

/// The texts of a dictionary.
pub(super) fn texts_of(labels: &DictionaryArray<Int32Type>) -> Result<&StringArray, ArrowError> {
    labels.values().as_string_opt::<i32>().ok_or_else(|| no_text(labels.values().data_type()))
}

/// The error for an array that is no text, which a table of ours does not have.
pub(super) fn no_text(of: &DataType) -> ArrowError {
    ArrowError::InvalidArgumentError(format!("an array of {of} is to be redacted as text"))
}

#[cfg(test)]
mod tests {
    use arrow::array::Int32Array;

    use super::*;

    fn labels(keys: Vec<Option<i32>>, values: &Arc<StringArray>) -> ArrayRef {
        Arc::new(DictionaryArray::new(Int32Array::from(keys), Arc::clone(values) as ArrayRef))
    }

    fn shown(array: &ArrayRef) -> Vec<Option<String>> {
        let plain = arrow::compute::cast(array, &DataType::Utf8).unwrap();
        plain.as_string::<i32>().iter().map(|text| text.map(str::to_owned)).collect()
    }

    #[test]
    fn a_dictionary_is_treated_once_and_stays_the_same_array() {
        let treatment = Treatment::Mask { is_postal_code: false };
        let mut known = KnownDictionary::default();
        let mut run = |array: &ArrayRef| treated(array, &treatment, &mut known).unwrap();
        let values = Arc::new(StringArray::from(vec!["a@example.com", "b"]));
        let first = run(&labels(vec![Some(1), None, Some(0)], &values));
        assert_eq!(shown(&first), [Some("***".to_owned()), None, Some("***@example.com".to_owned())]);
        let second = run(&labels(vec![Some(0)], &values));
        let values_of = |array: &ArrayRef| array.as_dictionary::<Int32Type>().values().clone();
        assert!(Arc::ptr_eq(&values_of(&first), &values_of(&second)));
        // It grows, and it begins anew.
        let grown = Arc::new(StringArray::from(vec!["a@example.com", "b", "c@example.org"]));
        assert_eq!(
            shown(&run(&labels(vec![Some(2), Some(0)], &grown)))[0].as_deref(),
            Some("***@example.org")
        );
        let other = Arc::new(StringArray::from(vec!["x@example.net", "b"]));
        assert_eq!(shown(&run(&labels(vec![Some(0)], &other)))[0].as_deref(), Some("***@example.net"));
    }

    #[test]
    fn nulls_stay_nulls_and_plain_text_is_treated_too() {
        let array: ArrayRef = Arc::new(StringArray::from(vec![Some("x"), None, Some("")]));
        let treatment = Treatment::Hash(RedactKey::new(&[0x0b; 20]).unwrap());
        let treated = treated(&array, &treatment, &mut KnownDictionary::default()).unwrap();
        let texts = shown(&treated);
        assert_eq!((texts[0].as_ref().unwrap().len(), &texts[1]), (64, &None));
        assert_ne!(texts[0], texts[2]);
    }
}
