//! What implements `Serialize` to a tree.

use serde::{Serialize, ser};
use zeroize::Zeroizing;

use super::{Value, ValueError};

/// The tree of a value.
pub(in crate::mls) fn to_value<T: Serialize + ?Sized>(value: &T) -> Result<Value, ValueError> {
    value.serialize(ToValue { without: None })
}

/// The tree of a struct, with nothing in place of one of its fields: that field is not looked at.
pub(in crate::mls) fn to_value_without<T: Serialize + ?Sized>(
    value: &T,
    field: &'static str,
) -> Result<Value, ValueError> {
    value.serialize(ToValue { without: Some(field) })
}

struct ToValue {
    /// The field of the outermost struct that is left out.
    without: Option<&'static str>,
}

impl ser::Serializer for ToValue {
    type Ok = Value;
    type Error = ValueError;
    type SerializeSeq = ListBuilder;
    type SerializeTuple = ListBuilder;
    type SerializeTupleStruct = ListBuilder;
    type SerializeTupleVariant = ListBuilder;
    type SerializeMap = MapBuilder;
    type SerializeStruct = MapBuilder;
    type SerializeStructVariant = MapBuilder;

    fn serialize_bool(self, value: bool) -> Result<Value, ValueError> {
        Ok(Value::Bool(value))
    }

    fn serialize_i8(self, value: i8) -> Result<Value, ValueError> {
        self.serialize_i64(value.into())
    }

    fn serialize_i16(self, value: i16) -> Result<Value, ValueError> {
        self.serialize_i64(value.into())
    }

    fn serialize_i32(self, value: i32) -> Result<Value, ValueError> {
        self.serialize_i64(value.into())
    }

    fn serialize_i64(self, value: i64) -> Result<Value, ValueError> {
        Ok(u64::try_from(value).map_or(Value::Negative(value), Value::Unsigned))
    }

    fn serialize_u8(self, value: u8) -> Result<Value, ValueError> {
        Ok(Value::Byte(value))
    }

    fn serialize_u16(self, value: u16) -> Result<Value, ValueError> {
        Ok(Value::Unsigned(value.into()))
    }

    fn serialize_u32(self, value: u32) -> Result<Value, ValueError> {
        Ok(Value::Unsigned(value.into()))
    }

    fn serialize_u64(self, value: u64) -> Result<Value, ValueError> {
        Ok(Value::Unsigned(value))
    }

    fn serialize_f32(self, _: f32) -> Result<Value, ValueError> {
        Err(ValueError("no floating point".into()))
    }

    fn serialize_f64(self, _: f64) -> Result<Value, ValueError> {
        Err(ValueError("no floating point".into()))
    }

    fn serialize_char(self, value: char) -> Result<Value, ValueError> {
        Ok(Value::Text(value.to_string().into()))
    }

    fn serialize_str(self, value: &str) -> Result<Value, ValueError> {
        Ok(Value::Text(value.to_owned().into()))
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<Value, ValueError> {
        Ok(Value::Bytes(Zeroizing::new(value.to_vec())))
    }

    fn serialize_none(self) -> Result<Value, ValueError> {
        Ok(Value::Null)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Value, ValueError> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<Value, ValueError> {
        Ok(Value::Null)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<Value, ValueError> {
        Ok(Value::Null)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<Value, ValueError> {
        Ok(Value::Text(variant.into()))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<Value, ValueError> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<Value, ValueError> {
        Ok(named(variant, value.serialize(self)?))
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<ListBuilder, ValueError> {
        Ok(ListBuilder::default())
    }

    fn serialize_tuple(self, _: usize) -> Result<ListBuilder, ValueError> {
        Ok(ListBuilder::default())
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<ListBuilder, ValueError> {
        Ok(ListBuilder::default())
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<ListBuilder, ValueError> {
        Ok(ListBuilder { variant: Some(variant), ..ListBuilder::default() })
    }

    fn serialize_map(self, _: Option<usize>) -> Result<MapBuilder, ValueError> {
        Ok(MapBuilder { sorted: true, ..MapBuilder::default() })
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<MapBuilder, ValueError> {
        Ok(MapBuilder { without: self.without, ..MapBuilder::default() })
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<MapBuilder, ValueError> {
        Ok(MapBuilder { variant: Some(variant), ..MapBuilder::default() })
    }
}

fn named(variant: &'static str, value: Value) -> Value {
    Value::Map(vec![(Value::Text(variant.into()), value)])
}

/// Collects a list: bytes as long as there are only bytes.
#[derive(Default)]
struct ListBuilder {
    variant: Option<&'static str>,
    bytes: Zeroizing<Vec<u8>>,
    values: Vec<Value>,
}

impl ListBuilder {
    fn push<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), ValueError> {
        match value.serialize(ToValue { without: None })? {
            Value::Byte(byte) if self.values.is_empty() => self.bytes.push(byte),
            value => {
                let bytes = std::mem::take(&mut self.bytes);
                self.values.extend(bytes.iter().map(|byte| Value::Byte(*byte)));
                self.values.push(value);
            }
        }
        Ok(())
    }

    fn finish(self) -> Value {
        let list = if self.bytes.is_empty() { Value::List(self.values) } else { Value::Bytes(self.bytes) };
        match self.variant {
            Some(variant) => named(variant, list),
            None => list,
        }
    }
}

impl ser::SerializeSeq for ListBuilder {
    type Ok = Value;
    type Error = ValueError;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), ValueError> {
        self.push(value)
    }

    fn end(self) -> Result<Value, ValueError> {
        Ok(self.finish())
    }
}

impl ser::SerializeTuple for ListBuilder {
    type Ok = Value;
    type Error = ValueError;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), ValueError> {
        self.push(value)
    }

    fn end(self) -> Result<Value, ValueError> {
        Ok(self.finish())
    }
}

impl ser::SerializeTupleStruct for ListBuilder {
    type Ok = Value;
    type Error = ValueError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), ValueError> {
        self.push(value)
    }

    fn end(self) -> Result<Value, ValueError> {
        Ok(self.finish())
    }
}

impl ser::SerializeTupleVariant for ListBuilder {
    type Ok = Value;
    type Error = ValueError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), ValueError> {
        self.push(value)
    }

    fn end(self) -> Result<Value, ValueError> {
        Ok(self.finish())
    }
}

/// Collects a map or a struct.
#[derive(Default)]
struct MapBuilder {
    variant: Option<&'static str>,
    /// Maps of OpenMLS may be hash maps; their order is made one of content.
    sorted: bool,
    without: Option<&'static str>,
    pairs: Vec<(Value, Value)>,
    key: Option<Value>,
}

impl MapBuilder {
    fn finish(mut self) -> Value {
        if self.sorted {
            self.pairs.sort_by_cached_key(|(key, _)| super::encode(key));
        }
        match self.variant {
            Some(variant) => named(variant, Value::Map(self.pairs)),
            None => Value::Map(self.pairs),
        }
    }
}

impl ser::SerializeMap for MapBuilder {
    type Ok = Value;
    type Error = ValueError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), ValueError> {
        self.key = Some(key.serialize(ToValue { without: None })?);
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), ValueError> {
        let key = self.key.take().ok_or_else(|| ValueError("a value before its key".into()))?;
        self.pairs.push((key, value.serialize(ToValue { without: None })?));
        Ok(())
    }

    fn end(self) -> Result<Value, ValueError> {
        Ok(self.finish())
    }
}

impl ser::SerializeStruct for MapBuilder {
    type Ok = Value;
    type Error = ValueError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), ValueError> {
        let value =
            if self.without == Some(name) { Value::Null } else { value.serialize(ToValue { without: None })? };
        self.pairs.push((Value::Text(name.into()), value));
        Ok(())
    }

    fn end(self) -> Result<Value, ValueError> {
        Ok(self.finish())
    }
}

impl ser::SerializeStructVariant for MapBuilder {
    type Ok = Value;
    type Error = ValueError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), ValueError> {
        ser::SerializeStruct::serialize_field(self, name, value)
    }

    fn end(self) -> Result<Value, ValueError> {
        Ok(self.finish())
    }
}
