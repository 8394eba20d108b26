(class name: (_) @name body: (_) @body) @definition.class
(class name: (_) @name !body) @definition.class
(module name: (_) @name body: (_) @body) @definition.module
(method name: (_) @name body: (_) @body) @definition.method
(method name: (_) @name !body) @definition.method
(singleton_method name: (_) @name body: (_) @body) @definition.singleton
(singleton_method name: (_) @name !body) @definition.singleton

(assignment left: (constant) @constant)

(comment) @comment

(call !receiver method: (identifier) @callee)
(call receiver: (_) method: (identifier) @callee) @dotted

(ERROR) @error
(MISSING) @error
