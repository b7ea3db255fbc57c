-- Recipes that the coordinator keeps: documents of kind 'recipe', scope 'project', named after the project.

ALTER TABLE project
    ADD COLUMN recipe_from text NOT NULL DEFAULT 'repository' CHECK (recipe_from IN ('repository', 'coordinator'));

ALTER TABLE release
    ADD COLUMN recipe_document_id uuid REFERENCES document (id);    -- null: from the repository, or none
