(function_declaration name: (_) @name body: (_) @body) @definition.function
(function_declaration name: (_) @name !body) @definition.function

(method_declaration
  receiver: (parameter_list
    (parameter_declaration
      type: [
        (type_identifier) @owner
        (pointer_type (type_identifier) @owner)
        (generic_type type: (_) @owner)
        (pointer_type (generic_type type: (_) @owner))
      ]))
  name: (_) @name
  body: (_) @body) @definition.method

(type_spec name: (_) @name type: (struct_type (field_declaration_list) @body)) @definition.struct
(type_spec name: (_) @name type: (interface_type "{" @body)) @definition.interface
(type_spec name: (_) @name) @definition.type
(type_alias name: (_) @name) @definition.type
(method_elem name: (_) @name) @definition.method
(type_declaration) @declaration

(const_spec name: (_) @constant)
(source_file (var_declaration (var_spec name: (_) @constant)))
(source_file (var_declaration (var_spec_list (var_spec name: (_) @constant))))

(comment) @comment
(source_file . (comment) @file)

(call_expression function: (identifier) @callee)
(call_expression function: (selector_expression field: (_) @callee) @dotted)

(ERROR) @error
(MISSING) @error
