(namespace_definition name: (_) @name body: (_) @body) @definition.namespace
(class_declaration name: (_) @name body: (_) @body) @definition.class
(interface_declaration name: (_) @name body: (_) @body) @definition.interface
(trait_declaration name: (_) @name body: (_) @body) @definition.trait
(enum_declaration name: (_) @name body: (_) @body) @definition.enum
(function_definition name: (_) @name body: (_) @body) @definition.function
(method_declaration name: (_) @name body: (_) @body) @definition.method
(method_declaration name: (_) @name !body) @definition.method

(const_element (name) @constant)
(enum_case name: (_) @constant)

(comment) @comment
(attribute_list) @lead

(function_call_expression function: (name) @callee)
(function_call_expression function: (qualified_name (name) @callee) @dotted)
(member_call_expression name: (name) @callee)
(nullsafe_member_call_expression name: (name) @callee)
(scoped_call_expression name: (name) @callee) @dotted
(object_creation_expression (name) @callee)

(ERROR) @error
(MISSING) @error
