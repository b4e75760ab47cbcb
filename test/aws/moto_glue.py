"""An emulator's Glue Schema Registry: what Moto lacks, put into it in process. What it cannot prove is said in moto_server.py."""

import json
from time import time

from avro.compatibility import ReaderWriterCompatibilityChecker, SchemaCompatibilityType
from avro.schema import parse
from moto.core.responses import ActionResult
from moto.glue import glue_schema_registry_utils as checks
from moto.glue import models
from moto.glue.exceptions import (
    InvalidSchemaDefinitionException,
    SchemaNotFoundException,
    SchemaVersionMetadataAlreadyExistsException,
    SchemaVersionNotFoundFromSchemaVersionIdException,
    GeneralGSRAlreadyExistsException,
    EntityNotFoundException,
)
from moto.glue.responses import GlueResponse

# pendingMs: how long a new version is being checked. lagMs: how long a new version is not seen by readers. refuse: every new version
# of a schema turns out FAILURE. canonical: definitions are the same when their JSON is ("json") or their parsing canonical form
# ("parsing", which drops attributes). strip: what is stored is that form. page: the most results of one answer.
NONE = {"pendingMs": 0, "lagMs": 0, "refuse": False, "canonical": "json", "strip": False, "page": 100}
now_as = {**NONE}

# AWS allows 256 characters in a metadata value.
checks.MAX_SCHEMA_VERSION_METADATA_LENGTH = 256


def behave(given):
    now_as.update(given)


class Version(models.FakeSchemaVersion):
    """A version that may be checked for a while, and be seen late."""

    # Moto keeps its models by the module they come from.
    __module__ = models.__name__

    def __init__(self, *args, **kwargs):
        self.made = time()
        self.pending_until = self.made + now_as["pendingMs"] / 1000
        self.seen_from = self.made + now_as["lagMs"] / 1000
        self.outcome = "AVAILABLE"
        super().__init__(*args, **kwargs)
        if now_as["strip"]:
            self.schema_definition = parse(self.schema_definition).canonical_form

    @property
    def schema_version_status(self):
        return "PENDING" if time() < self.pending_until else self.outcome

    @schema_version_status.setter
    def schema_version_status(self, status):
        self.outcome = status

    @property
    def seen(self):
        return time() >= self.seen_from


models.FakeSchemaVersion = Version


def parsed(definition):
    try:
        return parse(definition)
    except Exception as error:
        raise InvalidSchemaDefinitionException("AVRO", error) from error


def canonical(definition):
    return parse(definition).canonical_form if now_as["canonical"] == "parsing" else json.loads(definition)


def reads(reader, writer):
    result = ReaderWriterCompatibilityChecker().get_compatibility(parse(reader), parse(writer))
    return result.compatibility is SchemaCompatibilityType.compatible


def compatible(mode, new, earlier):
    compared = earlier if mode.endswith("_ALL") else earlier[-1:]
    backward = mode.startswith(("BACKWARD", "FULL"))
    forward = mode.startswith(("FORWARD", "FULL"))
    return all((not backward or reads(new, old)) and (not forward or reads(old, new)) for old in compared)


def registered(self, schema_id, schema_definition):
    registry_name, schema_name, arn = checks.validate_schema_id(schema_id, self.registries)
    schema = self.registries[registry_name].schemas[schema_name]
    checks.validate_register_schema_version_params(
        registry_name, schema_name, arn, self.num_schema_versions, schema_definition, schema.compatibility, schema.data_format
    )
    if schema.data_format == "AVRO":
        parsed(schema_definition)
        for version in schema.schema_versions.values():
            if canonical(version.schema_definition) == canonical(schema_definition):
                return version.as_dict()
    earlier = [one.schema_definition for one in schema.schema_versions.values() if one.outcome == "AVAILABLE"]
    version = Version(self, registry_name, schema_name, schema_definition, schema.next_schema_version)
    schema.next_schema_version += 1
    self.num_schema_versions += 1
    schema.schema_versions[version.schema_version_id] = version
    if now_as["refuse"] or not compatible(schema.compatibility, schema_definition, earlier):
        version.schema_version_status = "FAILURE"
    else:
        schema.latest_schema_version = version.version_number
    return version.as_dict()


make_schema = models.GlueBackend.create_schema
get_version = models.GlueBackend.get_schema_version


def created(self, registry_id, schema_name, data_format, compatibility, schema_definition, *rest):
    if data_format == "AVRO":
        parsed(schema_definition)
    made = make_schema(self, registry_id, schema_name, data_format, compatibility, schema_definition, *rest)
    version = find(self, made["SchemaVersionId"])
    return {**made, "SchemaVersionStatus": version.schema_version_status}


def got(self, schema_id=None, schema_version_id=None, schema_version_number=None):
    if schema_version_id and not find(self, schema_version_id).seen:
        raise SchemaVersionNotFoundFromSchemaVersionIdException(schema_version_id)
    return get_version(self, schema_id, schema_version_id, schema_version_number)


def got_by_definition(self, schema_id, schema_definition):
    registry_name, schema_name, arn = checks.validate_schema_id(schema_id, self.registries)
    for version in self.registries[registry_name].schemas[schema_name].schema_versions.values():
        if version.seen and canonical(version.schema_definition) == canonical(schema_definition):
            return {**version.get_schema_by_definition_as_dict(), "DataFormat": "AVRO"}
    raise SchemaNotFoundException(schema_name, registry_name, arn)


models.GlueBackend.register_schema_version = registered
models.GlueBackend.create_schema = created
models.GlueBackend.get_schema_version = got
models.GlueBackend.get_schema_by_definition = got_by_definition


def find(backend, version_id):
    checks.validate_schema_version_params(backend.registries, None, version_id, None)
    for registry in backend.registries.values():
        for schema in registry.schemas.values():
            if version_id in schema.schema_versions:
                return schema.schema_versions[version_id]
    raise SchemaVersionNotFoundFromSchemaVersionIdException(version_id)


def page(response, name, items):
    start = int(response._get_param("NextToken") or 0)
    end = start + min(response._get_param("MaxResults") or 25, now_as["page"])
    more = {"NextToken": str(end)} if end < len(items) else {}
    return ActionResult({name: items[start:end], **more})


def list_schemas(self):
    name = checks.validate_registry_id(self._get_param("RegistryId"), self.glue_backend.registries)
    schemas = self.glue_backend.registries[name].schemas.values()
    return page(self, "Schemas", [one.as_dict() for one in schemas])


def list_schema_versions(self):
    registry, schema, _ = checks.validate_schema_id(self._get_param("SchemaId"), self.glue_backend.registries)
    versions = self.glue_backend.registries[registry].schemas[schema].schema_versions.values()
    return page(self, "Schemas", [{**one.as_dict(), "SchemaArn": one.schema_arn} for one in reversed(versions) if one.seen])


def seen_version(self):
    version = find(self.glue_backend, self._get_param("SchemaVersionId"))
    if not version.seen:
        raise SchemaVersionNotFoundFromSchemaVersionIdException(version.schema_version_id)
    return version


def query_schema_version_metadata(self):
    version = seen_version(self)
    others = lambda values: [{"MetadataValue": one, "CreatedTime": str(version.created_time)} for one in values]
    entries = {key: {**others(values[-1:])[0], "OtherMetadataValueList": others(values[:-1])} for key, values in version.metadata.items() if values}
    return ActionResult({"MetadataInfoMap": entries, "SchemaVersionId": version.schema_version_id})


def remove_schema_version_metadata(self):
    version = seen_version(self)
    key, value = checks.validate_schema_version_metadata_pattern_and_length(self._get_param("MetadataKeyValue"))
    if value not in version.metadata.get(key, []):
        raise EntityNotFoundException(f"Metadata is not found. Key: {key}, value: {value}")
    version.metadata[key].remove(value)
    return ActionResult({"SchemaVersionId": version.schema_version_id, "MetadataKey": key, "MetadataValue": value})


def check_schema_version_validity(self):
    try:
        parse(self._get_param("SchemaDefinition"))
        return ActionResult({"Valid": True})
    except Exception as error:
        return ActionResult({"Valid": False, "Error": str(error)})


put_metadata = GlueResponse.put_schema_version_metadata


def put_schema_version_metadata(self):
    seen_version(self)
    return put_metadata(self)


for action in (list_schemas, list_schema_versions, query_schema_version_metadata, remove_schema_version_metadata, check_schema_version_validity, put_schema_version_metadata):
    setattr(GlueResponse, action.__name__, action)
