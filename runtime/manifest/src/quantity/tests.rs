use proptest::prelude::*;

use super::{Quantity, QuantityError};

fn quantity(text: &str) -> Quantity {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn every_suffix_has_its_amount() {
    let table = [
        ("1n", 1, 1),
        ("1u", 1, 1),
        ("1m", 1, 1),
        ("1", 1000, 1),
        ("1k", 1_000_000, 1000),
        ("1M", 1_000_000_000, 1_000_000),
        ("1G", 1_000_000_000_000, 1_000_000_000),
        ("1T", 1_000_000_000_000_000, 1_000_000_000_000),
        ("1P", 1_000_000_000_000_000_000, 1_000_000_000_000_000),
        ("1E", i64::MAX, 1_000_000_000_000_000_000),
        ("1Ki", 1_024_000, 1024),
        ("1Mi", 1_048_576_000, 1 << 20),
        ("1Gi", 1_073_741_824_000, 1 << 30),
        ("1Ti", 1_099_511_627_776_000, 1 << 40),
        ("1Pi", 1_125_899_906_842_624_000, 1 << 50),
        ("1Ei", i64::MAX, 1 << 60),
        ("1e3", 1_000_000, 1000),
        ("1E3", 1_000_000, 1000),
        ("1e-3", 1, 1),
        ("12e+2", 1_200_000, 1200),
        ("-1.5", -1500, -1),
        ("+2", 2000, 2),
        (".5", 500, 1),
        ("1.", 1000, 1),
        ("0.1", 100, 1),
        ("00012", 12_000, 12),
        (" 3 ", 3000, 3),
    ];
    for (text, milli, units) in table {
        assert_eq!(quantity(text).milli_ceil(), milli, "{text}");
        assert_eq!(quantity(text).units_ceil(), units, "{text}");
    }
}

#[test]
fn prints_in_canonical_form() {
    let table = [
        ("0", "0"),
        ("-0", "0"),
        ("0.0Gi", "0"),
        ("1.5", "1500m"),
        ("1500m", "1500m"),
        ("1000m", "1"),
        ("0.5", "500m"),
        ("0.0001", "100u"),
        ("1n", "1n"),
        ("0.1n", "1n"),
        ("1.5Gi", "1536Mi"),
        ("1024Ki", "1Mi"),
        ("1024", "1024"),
        ("1000", "1k"),
        ("1000Ki", "1000Ki"),
        ("0.5Ki", "512"),
        ("0.0001Ki", "102400u"),
        ("1000000", "1M"),
        ("1e3", "1e3"),
        ("1e4", "10e3"),
        ("100e-3", "100e-3"),
        ("1E", "1E"),
        ("1000E", "1000E"),
        ("8Ei", "9223372036854775807"),
        ("9999Ei", "9223372036854775807"),
        ("-1.5Gi", "-1536Mi"),
        ("100000000000000000000000000000000000Gi", "9223372036854775807"),
    ];
    for (text, canonical) in table {
        assert_eq!(quantity(text).to_string(), canonical, "{text}");
    }
}

#[test]
fn what_is_too_large_is_the_largest() {
    let huge = quantity("1e999999999999");
    assert_eq!(huge, quantity("1e200"));
    assert!(huge > quantity("1000E"));
    assert_eq!(huge.units_ceil(), i64::MAX);
    assert_eq!(huge.bytes(), i64::MAX.unsigned_abs());
    assert_eq!((huge + huge), huge);
    assert_eq!(quantity("-1e999999999999").units_ceil(), i64::MIN);
    let least = quantity("-1e99") + quantity("-1e99");
    assert_eq!(least.div_ceil(quantity("-1n")), i64::MAX);
    assert!(least.to_string().starts_with('-'));
    assert_eq!(quantity("0e999999999999"), Quantity::ZERO);
    assert_eq!(quantity("1e-999999999999").to_string(), "1e-9");
}

#[test]
fn a_text_that_is_no_quantity_is_refused() {
    for text in [
        "", " ", "-", "+", ".", "Gi", "1Gb", "1gi", "1.1.M", "1+1.0M", "1,5", "1 Gi", "0x10",
        "1e3x", "١", "-3.01e-x", "1é",
    ] {
        assert_eq!(text.parse::<Quantity>().unwrap_err(), QuantityError::Format, "{text:?}");
    }
    for text in [
        "1K",
        "1i",
        "1Kii",
        "1GiGi",
        "1Gi5",
        "1e",
        "1e-",
        "1ee3",
        "1nn",
        "0.1mi",
        "3.01i",
        "1e99999999999999999999",
    ] {
        assert_eq!(text.parse::<Quantity>().unwrap_err(), QuantityError::Suffix, "{text:?}");
    }
}

#[test]
fn a_slip_gets_a_suggestion() {
    let table = [
        ("1Gb", Some("1Gi")),
        ("1GB", Some("1Gi")),
        ("1GiB", Some("1Gi")),
        ("512mb", Some("512Mi")),
        ("512mi", Some("512Mi")),
        ("1 Gi", Some("1Gi")),
        ("1K", Some("1Ki")),
        ("1,5", Some("1.5")),
        ("1,000,000", Some("1000000")),
        ("1_000", Some("1000")),
        ("2 cores", Some("2")),
        ("500mcpu", Some("500m")),
        ("lots", None),
        ("", None),
        ("1Gi", None),
    ];
    for (text, meant) in table {
        assert_eq!(QuantityError::suggestion(text).as_deref(), meant, "{text:?}");
    }
}

#[test]
fn rounds_up_and_divides_up() {
    assert_eq!(quantity("0.0001").round_up_to_milli().to_string(), "1m");
    assert_eq!(quantity("1500m").div_ceil(quantity("1")), 2);
    assert_eq!(quantity("1500m").div_ceil(quantity("1m")), 1500);
    assert_eq!(quantity("100Mi").div_ceil(quantity("1Mi")), 100);
    assert_eq!(quantity("100Mi").div_ceil(Quantity::ZERO), 104_857_600);
    assert!(quantity("4Mi").is_multiple_of(quantity("2Mi")));
    assert!(!quantity("3Mi").is_multiple_of(quantity("2Mi")));
    assert!(!quantity("3Mi").is_multiple_of(Quantity::ZERO));
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in ".{0,40}") {
        if text.parse::<Quantity>().is_err() {
            let _ = QuantityError::suggestion(&text);
        }
    }

    #[test]
    fn anything_like_a_quantity_is_read_or_refused(text in "[-+]?[0-9]{0,30}\\.?[0-9]{0,50}[eEinumkKMGTP]{0,2}[-+]?[0-9]{0,4}") {
        if let Ok(quantity) = text.parse::<Quantity>() {
            let printed = quantity.to_string();
            prop_assert_eq!(printed.parse::<Quantity>().unwrap(), quantity, "{} -> {}", text, printed);
        }
    }

    #[test]
    fn canonical_form_is_a_fixed_point(units in any::<i64>(), suffix in "(|n|u|m|k|M|G|Ki|Mi|Gi)") {
        let quantity: Quantity = format!("{units}{suffix}").parse().unwrap();
        let printed = quantity.to_string();
        let again: Quantity = printed.parse().unwrap();
        prop_assert_eq!(again, quantity);
        prop_assert_eq!(again.to_string(), printed);
    }

    #[test]
    fn fractions_of_binary_units_round_up(fraction in 1_u64..1_000_000) {
        let quantity: Quantity = format!("0.{fraction:06}Mi").parse().unwrap();
        let exact = f64::from(u32::try_from(fraction).unwrap()) * 1.048_576;
        prop_assert!((quantity.units_ceil() as f64) >= exact - 1e-6);
        prop_assert!((quantity.units_ceil() as f64) < exact + 1.0);
    }
}
