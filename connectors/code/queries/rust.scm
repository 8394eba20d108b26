(function_item name: (_) @name body: (_) @body) @definition.function
(function_signature_item name: (_) @name) @definition.function
(struct_item name: (_) @name body: (_) @body) @definition.struct
(struct_item name: (_) @name) @definition.struct
(enum_item name: (_) @name body: (_) @body) @definition.enum
(union_item name: (_) @name body: (_) @body) @definition.union
(trait_item name: (_) @name body: (_) @body) @definition.trait
(type_item name: (_) @name) @definition.type
(macro_definition name: (_) @name) @definition.macro
(mod_item name: (_) @name body: (_) @body) @definition.namespace

(impl_item
  type: [
    (type_identifier) @name
    (generic_type type: (type_identifier) @name)
    (scoped_type_identifier name: (type_identifier) @name)
    (reference_type type: (type_identifier) @name)
  ]
  body: (_) @body) @definition.implementation

(const_item name: (_) @constant)
(static_item name: (_) @constant)
(enum_variant name: (_) @constant)

[(line_comment) (block_comment)] @comment
(attribute_item) @lead
(source_file . (line_comment (inner_doc_comment_marker)) @file)

(call_expression function: (identifier) @callee)
(call_expression function: (field_expression field: (_) @callee) @dotted)
(call_expression function: (scoped_identifier name: (_) @callee) @dotted)
(call_expression function: (generic_function function: (identifier) @callee))
(call_expression function: (generic_function function: (field_expression field: (_) @callee)))
(call_expression function: (generic_function function: (scoped_identifier name: (_) @callee)))
(macro_invocation macro: (identifier) @callee)

(ERROR) @error
(MISSING) @error
