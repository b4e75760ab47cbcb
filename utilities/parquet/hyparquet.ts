/** The door to hyparquet: what a Parquet file says about itself, and its values where no way of our own is needed. */
export { parquetMetadataAsync, parquetRead, parquetSchema, type FileMetaData, type SchemaElement } from 'hyparquet'
