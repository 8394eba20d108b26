(class_declaration name: (_) @name body: (_) @body) @definition.class
(interface_declaration name: (_) @name body: (_) @body) @definition.interface
(annotation_type_declaration name: (_) @name body: (_) @body) @definition.interface
(enum_declaration name: (_) @name body: (_) @body) @definition.enum
(record_declaration name: (_) @name body: (_) @body) @definition.record

(method_declaration name: (_) @name body: (_) @body) @definition.method
(method_declaration name: (_) @name !body) @definition.method
(annotation_type_element_declaration name: (_) @name) @definition.method
(constructor_declaration name: (_) @name body: (_) @body) @definition.method
(compact_constructor_declaration name: (_) @name body: (_) @body) @definition.method

(field_declaration declarator: (variable_declarator name: (_) @constant))
(enum_constant name: (_) @constant)

[(line_comment) (block_comment)] @comment
[(marker_annotation) (annotation)] @lead

(method_invocation !object name: (_) @callee)
(method_invocation object: (_) name: (_) @callee) @dotted
(object_creation_expression type: (type_identifier) @callee)
(object_creation_expression type: (generic_type (type_identifier) @callee))

(ERROR) @error
(MISSING) @error
